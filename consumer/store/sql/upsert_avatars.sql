-- Without a new picture the stored one stays.
INSERT INTO organization_avatar AS a (organization_id, type, ident, digest, color, content)
SELECT k.organization_id, k.type, k.ident, decode(k.digest, 'hex'), k.color, decode(k.content, 'base64')
FROM json_to_recordset(%(rows)s) AS k (
    organization_id bigint, type text, ident text, digest text, color text, content text
)
ON CONFLICT (organization_id) DO UPDATE
SET type = excluded.type, ident = excluded.ident, digest = excluded.digest, color = excluded.color,
    content = coalesce(excluded.content, a.content)

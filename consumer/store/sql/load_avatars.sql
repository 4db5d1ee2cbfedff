-- Two batches that save details of one organization are one after the other: see lock_organizations.
SELECT a.organization_id, a.type, a.ident, a.digest, a.color
FROM organization_avatar a
WHERE a.organization_id IN (SELECT value::bigint FROM json_array_elements_text(%(organizations)s))

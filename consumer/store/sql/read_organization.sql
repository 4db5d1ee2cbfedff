-- One organization with its avatar, without the picture itself.
SELECT
    organization.id,
    organization.slug,
    organization.name,
    organization.default_role,
    organization.flags,
    organization.options,
    organization.date_added,
    organization_avatar.type AS avatar_type,
    organization_avatar.ident AS avatar_ident,
    organization_avatar.color AS avatar_color,
    organization_avatar.digest IS NOT NULL AS has_picture
FROM organization
LEFT JOIN organization_avatar ON organization_avatar.organization_id = organization.id
WHERE organization.slug = %(organization)s

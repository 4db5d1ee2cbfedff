-- The picture of an organization; content NULL where it has none.
SELECT organization_avatar.content
FROM organization
LEFT JOIN organization_avatar ON organization_avatar.organization_id = organization.id
WHERE organization.slug = %(organization)s

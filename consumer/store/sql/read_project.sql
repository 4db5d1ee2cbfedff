-- The ids of an organization and its project; project.id NULL where only the organization is known.
SELECT organization.id AS organization_id, project.id AS project_id
FROM organization
LEFT JOIN project ON project.organization_id = organization.id AND project.slug = %(project)s
WHERE organization.slug = %(organization)s

-- The ids of an organization, its project and an environment; of the last two NULL where it is not known.
SELECT organization.id AS organization_id, project.id AS project_id, environment.id AS environment_id
FROM organization
LEFT JOIN project ON project.organization_id = organization.id AND project.slug = %(project)s
LEFT JOIN environment ON environment.organization_id = organization.id AND environment.name = %(environment)s
WHERE organization.slug = %(organization)s

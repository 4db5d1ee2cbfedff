"""Real servers from installed packages: no Docker and no root needed."""

"""The demo: the main job on real services, with a real git history, in a place of its own."""

"""The reading side: releases, groups and dead letters as JSON documents, each in a constant number of statements."""

"""``releases``: what the database knows of releases."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

import click

from consumer.cli.database import reading
from consumer.cli.output import cell, json_option, person, print_fields, print_json, print_section, print_table
from consumer.store.reading.documents import MAX_PAGE
from consumer.store.reading.listings import Sort, StatusFilter
from consumer.store.reading.releases import list_releases, show_release

if TYPE_CHECKING:
    from consumer.store.reading.documents import Document

_SHORT_KEY = 12


@click.group()
def releases() -> None:
    """Read releases.

    \b
    Example:
      release-consumer releases list --organization acme --project web
    """


@releases.command("list")
@click.option("--organization", required=True, help="Slug of the organization.")
@click.option("--project", required=True, help="Slug of the project.")
@click.option("--query", help="Only versions that start with this, in any case.")
@click.option("--environment", help="Only releases seen in this environment; of an unknown one there are none.")
@click.option(
    "--status",
    type=click.Choice(get_args(StatusFilter)),
    default="open",
    show_default=True,
    help="Which releases; archived ones are hidden unless asked for.",
)
@click.option(
    "--sort",
    type=click.Choice(get_args(Sort)),
    default="date",
    show_default=True,
    help="date: newest first. semver: greatest version first; what is no semantic version comes last.",
)
@click.option(
    "--limit", type=click.IntRange(1, MAX_PAGE), default=MAX_PAGE, show_default=True, help="Releases of the page."
)
@click.option("--cursor", help="nextCursor of the page before, of the same listing.")
@json_option
def list_(
    *,
    organization: str,
    project: str,
    query: str | None,
    environment: str | None,
    status: StatusFilter,
    sort: Sort,
    limit: int,
    cursor: str | None,
    as_json: bool,
) -> None:
    """List the releases of a project.

    By date, newest is by release date, or else creation date. By semver, package@1.2.3-rc.1+5 counts as a semantic
    version, 1.2.3 without a package does not; versions of all packages are in one order, builds do not count.

    \b
    Example:
      release-consumer releases list --organization acme --project web --query 2024. --limit 20 --json
      release-consumer releases list --organization acme --project web --environment production --sort semver
    """
    with reading() as connection:
        page = list_releases(
            connection,
            organization,
            project,
            query=query,
            environment=environment,
            status=status,
            sort=sort,
            limit=limit,
            cursor=cursor,
        )
    if as_json:
        print_json(page)
        return
    if not page["releases"]:
        click.echo("no releases", err=True)
        return
    print_table(
        ("VERSION", "STATUS", "CREATED", "RELEASED", "COMMITS", "AUTHORS", "PROJECTS"),
        [
            (
                release["version"],
                release["status"],
                release["dateCreated"],
                release["dateReleased"],
                release["commitCount"],
                len(release["authors"]),
                release["projects"],
            )
            for release in page["releases"]
        ],
    )
    if page["nextCursor"]:
        click.echo(f"more: --cursor {page['nextCursor']}", err=True)


@releases.command()
@click.option("--organization", required=True, help="Slug of the organization.")
@click.argument("version")
@json_option
def show(*, organization: str, version: str, as_json: bool) -> None:
    """Show the release VERSION: its commit log, head commits, authors, projects, deploys and resolved groups.

    \b
    Example:
      release-consumer releases show --organization acme 2024.6.1 --json
    """
    with reading() as connection:
        release = show_release(connection, organization, version)
    if as_json:
        print_json(release)
    else:
        _print_release(release)


def _print_release(release: Document) -> None:
    print_fields(
        [
            ("version", release["version"]),
            ("organization", release["organization"]),
            ("id", release["id"]),
            ("status", release["status"]),
            ("ref", release["ref"]),
            ("url", release["url"]),
            ("owner", release["owner"]),
            ("created", release["dateCreated"]),
            ("started", release["dateStarted"]),
            ("released", release["dateReleased"]),
            ("projects", release["projects"]),
            ("authors", [person(author) for author in release["authors"]]),
            ("resolved groups", release["resolvedGroups"]),
            ("deploys", release["deployCount"]),
            ("commits", release["commitCount"]),
        ]
    )
    print_section(
        "Deploys, newest first",
        ("ENVIRONMENT", "NAME", "STARTED", "FINISHED", "URL"),
        [
            (deploy["environment"], deploy["name"], deploy["dateStarted"], deploy["dateFinished"], deploy["url"])
            for deploy in release["deploys"]
        ],
    )
    print_section(
        "Commits, newest first",
        ("COMMIT", "REPOSITORY", "CREATED", "AUTHOR", "FILES", "MESSAGE"),
        [
            (
                commit["id"][:_SHORT_KEY],
                commit["repository"],
                commit["dateCreated"],
                person(commit["author"]),
                len(commit["patchSet"]),
                cell((commit["message"] or "").partition("\n")[0] or None),
            )
            for commit in release["commits"]
        ],
    )
    print_section(
        "Head commits",
        ("REPOSITORY", "COMMIT"),
        [(head["repository"], head["commit"]) for head in release["headCommits"]],
    )

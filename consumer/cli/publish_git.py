"""``publish-git``: the releases of a real git repository to Kafka."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from consumer.cli.options import NON_EMPTY, bootstrap_servers_option
from consumer.cli.output import json_option
from consumer.cli.publish import report
from consumer.client import Publisher
from consumer.contracts import reasons
from consumer.errors import InvalidEvent, UsageError
from consumer.git.history import GitRepository
from consumer.git.releases import Target, refuse_cut, release_events, release_of_range, releases_of_tags, split_range
from consumer.settings import load_settings

_MAX_COMMITS = 1000


def _range(_context: click.Context, _option: click.Parameter, value: str | None) -> str | None:
    if value is not None:
        try:
            split_range(value)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return value


@click.command("publish-git")
@click.argument("path", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--organization", metavar="SLUG", required=True, help="Organization of the releases.")
@click.option("--project", metavar="SLUG", required=True, help="Project of the releases.")
@click.option(
    "--repository",
    type=NON_EMPTY,
    metavar="NAME",
    help="Default: owner/name of the remote origin, else the folder's name.",
)
@click.option("--tags", is_flag=True, help="A release per tag; the default.")
@click.option(
    "--range",
    "range_",
    metavar="A..B",
    callback=_range,
    help="One release of the commits after A up to B; needs --version. A range without commits is refused.",
)
@click.option("--version", type=NON_EMPTY, metavar="VERSION", help="Version of the release of --range.")
@click.option(
    "--version-prefix", metavar="TEXT", default="", help="Put before the tag's name in versions, such as web@."
)
@click.option(
    "--max-commits",
    metavar="N",
    type=click.IntRange(min=1),
    default=_MAX_COMMITS,
    show_default=True,
    help="Newest commits of a release that no tag comes before; between tags all are taken.",
)
@bootstrap_servers_option
@json_option
def publish_git(
    *,
    path: Path,
    organization: str,
    project: str,
    repository: str | None,
    tags: bool,
    range_: str | None,
    version: str | None,
    version_prefix: str,
    max_commits: int,
    bootstrap_servers: str | None,
    as_json: bool,
) -> None:
    """Send a release-created and a commits-pushed, with file changes, for each release in the git repository PATH.

    The version is the tag's name with `/` as `-`; a repository without tags gives one release of its newest commits.
    The same input makes the same event ids, so that sending it again changes nothing.

    \b
    Example:
      release-consumer publish-git --organization acme --project web .
      release-consumer publish-git --organization acme --project web --range v1.3..HEAD --version web@1.4 .
    """
    if (range_ is None) != (version is None):
        msg = "--range and --version go together: --range A..B --version V"
        raise click.UsageError(msg)
    if tags and range_ is not None:
        msg = "--tags and --range exclude each other"
        raise click.UsageError(msg)
    settings = load_settings(kafka_bootstrap_servers=bootstrap_servers)
    git = GitRepository(path, _note)
    if range_ is not None and version is not None:
        releases = [release_of_range(git, range_, version)]
    else:
        releases = releases_of_tags(git, version_prefix, _note)
    refuse_cut(git, releases, max_commits=max_commits)
    target = Target(organization, project, repository or _name(git))
    hidden = not sys.stderr.isatty()
    with (
        Publisher(settings) as publisher,
        click.progressbar(releases, label="publishing", file=sys.stderr, hidden=hidden) as progress,
    ):
        for release in progress:
            for event in release_events(git, release, target, max_commits=max_commits):
                try:
                    publisher.publish(event)
                except InvalidEvent as error:
                    raise _refused(release.version, error) from None
    report(dict(publisher.delivered), invalid=0, as_json=as_json)


def _name(git: GitRepository) -> str:
    name = git.remote_name()
    if name is None:
        name = git.folder_name()
        _note(
            f"the repository is named {name!r} after its folder: no remote origin on another machine names it;"
            " --repository names another"
        )
    return name


def _refused(version: str, error: InvalidEvent) -> Exception:
    """An event that breaks the contract: git's own facts fit it, so that it is an option that does not."""
    if error.reason == reasons.TOO_LARGE:
        return UsageError(f"release {version}: {error}; raise RELEASE_CONSUMER_MAX_EVENT_BYTES")
    return click.UsageError(f"release {version}: {error}; correct the option that it comes from")


def _note(text: str) -> None:
    click.echo(f"note: {text}", err=True)

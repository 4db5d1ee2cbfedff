"""SEMANTICS section 10: what saving details of an organization changes, and in which words that is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.conformance.builders import DANA, created, group, organization
from tests.conformance.matching import exactly
from tests.conformance.scenario import Announced, Dead, Scenario, announced, scenarios
from tests.support.pictures import picture

if TYPE_CHECKING:
    from tests.conformance.system import System

TEAL, PLUM = picture(color="teal"), picture(color="plum")
RELAY = {"name": "Relay", "publicKey": "key-1", "description": None}
RENAMED_RELAY = RELAY | {"name": "Ours"}
OTHER_RELAY = RELAY | {"publicKey": "key-2"}


def changed(**changes: str) -> Announced:
    """Expect just these changes of the organization to be announced, by nobody."""
    return announced("organization.updated", changes=exactly(**changes), actor=None)


@scenarios(
    Scenario(
        title="a first value that is not the default is told, with who gave it",
        section="10",
        when=[organization(options={"projectRateLimit": 50}, actor=DANA)],
        announces=[
            announced(
                "organization.updated",
                changes=exactly(projectRateLimit="to 50"),
                actor={"name": "Dana", "email": "dana@example.com"},
            )
        ],
    ),
    Scenario(
        title="an event that gives nothing makes the organization known and tells nothing",
        section="10",
        when=[organization()],
        announces=[],
    ),
    Scenario(
        title="a first value that is the default is not told, but remembered as set",
        section="10",
        given=[organization(options={"projectRateLimit": 100, "dataScrubber": False, "debugFilesRole": "admin"})],
        when=[organization(options={"projectRateLimit": 51, "dataScrubber": True, "debugFilesRole": "owner"})],
        announces=[
            changed(
                projectRateLimit="from 100 to 51",
                dataScrubber="from False to True",
                debugFilesRole="from admin to owner",
            )
        ],
    ),
    Scenario(
        title="the same value again is no change",
        section="10",
        given=[organization(options={"projectRateLimit": 50, "sensitiveFields": ["pin"]})],
        when=[organization(options={"projectRateLimit": 50, "sensitiveFields": ["pin"]})],
        announces=[],
    ),
    Scenario(
        title="only what is given changes",
        section="10",
        given=[organization(options={"projectRateLimit": 50}, flags={"require2FA": True}, name="Acme")],
        when=[organization(options={"accountRateLimit": 7}), organization(options={"projectRateLimit": 60})],
        announces=[changed(accountRateLimit="to 7"), changed(projectRateLimit="from 50 to 60")],
    ),
    Scenario(
        title="going back to the default is a change of what was set",
        section="10",
        given=[organization(options={"scrapeJavaScript": False})],
        when=[organization(options={"scrapeJavaScript": True})],
        announces=[changed(scrapeJavaScript="from False to True")],
    ),
    Scenario(
        title="lists are told as they are, and an empty one is not the default",
        section="10",
        given=[organization(options={"sensitiveFields": ["pin", "cvv"]})],
        when=[organization(options={"sensitiveFields": [], "safeFields": []})],
        announces=[changed(sensitiveFields="from ['pin', 'cvv'] to []", safeFields="to []")],
    ),
    Scenario(
        title="the order of a list counts",
        section="10",
        given=[organization(options={"safeFields": ["a", "b"]})],
        when=[organization(options={"safeFields": ["b", "a"]})],
        announces=[changed(safeFields="from ['a', 'b'] to ['b', 'a']")],
    ),
    Scenario(
        title="null is a value that can be set, changed and taken back",
        section="10",
        given=[organization(options={"relayPiiConfig": None})],
        when=[organization(options={"relayPiiConfig": "{}"}), organization(options={"relayPiiConfig": None})],
        announces=[changed(relayPiiConfig="from None to {}"), changed(relayPiiConfig="from {} to None")],
    ),
    Scenario(
        title="options of other organizations are others",
        section="10",
        given=[organization(organization="globex", options={"projectRateLimit": 50})],
        when=[organization(options={"projectRateLimit": 60})],
        announces=[changed(projectRateLimit="to 60")],
    ),
    Scenario(
        title="an organization that another event made known has the defaults",
        section="10",
        given=[created(), group()],
        when=[organization(options={"projectRateLimit": 60}, flags={"openMembership": True}, default_role="member")],
        announces=[changed(projectRateLimit="to 60")],
    ),
)
def test_options(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="trusted relays are told without times, and the same ones again are no change",
        section="10",
        given=[organization(options={"trustedRelays": [RELAY]})],
        when=[
            organization(options={"trustedRelays": [RELAY]}),
            organization(options={"trustedRelays": [RENAMED_RELAY, OTHER_RELAY]}),
        ],
        announces=[changed(trustedRelays=f"from {[RELAY]} to {[RENAMED_RELAY, OTHER_RELAY]}")],
    ),
    Scenario(
        title="relays that are no longer named are gone",
        section="10",
        given=[organization(options={"trustedRelays": [RELAY, OTHER_RELAY]})],
        when=[organization(options={"trustedRelays": []}), organization(options={"trustedRelays": [RELAY]})],
        announces=[
            changed(trustedRelays=f"from {[RELAY, OTHER_RELAY]} to []"),
            changed(trustedRelays=f"from [] to {[RELAY]}"),
        ],
    ),
)
def test_trusted_relays(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a flag is told by its new value where it differs from what holds",
        section="10",
        when=[
            organization(flags={"openMembership": True, "require2FA": False, "allowSharedIssues": True}),
            organization(flags={"openMembership": False, "require2FA": True, "allowSharedIssues": False}),
            organization(flags={"openMembership": False, "require2FA": True, "allowSharedIssues": False}),
        ],
        announces=[changed(openMembership="to False", require2FA="to True", allowSharedIssues="to False")],
    ),
    Scenario(
        title="flags do not touch one another",
        section="10",
        given=[organization(flags={"isEarlyAdopter": True, "allowMemberInvite": False, "codecovAccess": True})],
        when=[
            organization(flags={"isEarlyAdopter": False}),
            organization(flags={"isEarlyAdopter": False, "allowMemberInvite": False, "codecovAccess": True}),
            organization(flags={"allowMemberInvite": True, "enhancedPrivacy": False, "openMembership": True}),
        ],
        announces=[changed(isEarlyAdopter="to False"), changed(allowMemberInvite="to True")],
    ),
    Scenario(
        title="the first name is told as it is, the next one with the one before",
        section="10",
        when=[organization(name="Acme"), organization(name="Acme"), organization(name="Acme Inc.")],
        announces=[changed(name="to Acme"), changed(name="from Acme to Acme Inc.")],
    ),
    Scenario(
        title="the role of new members is member until it is changed",
        section="10",
        when=[
            organization(default_role="member"),
            organization(default_role="admin"),
            organization(default_role="member"),
        ],
        announces=[changed(defaultRole="from member to admin"), changed(defaultRole="from admin to member")],
    ),
    Scenario(
        title="all that one event changes is told at once",
        section="10",
        when=[
            organization(
                name="Acme",
                options={"apdexThreshold": 300, "scrubIPAddresses": True},
                flags={"enhancedPrivacy": True},
                color="#4674ca",
            )
        ],
        announces=[
            changed(
                name="to Acme",
                apdexThreshold="to 300",
                scrubIPAddresses="to True",
                enhancedPrivacy="to True",
                color="to #4674ca",
            )
        ],
    ),
)
def test_flags_and_details(system: System, scenario: Scenario) -> None:
    scenario.play(system)


@scenarios(
    Scenario(
        title="a first picture gets an ident and is shown",
        section="10",
        when=[organization(avatar=TEAL)],
        announces=[changed(avatar="to <ident>", avatarType="from letter_avatar to upload")],
    ),
    Scenario(
        title="another picture gets another ident, the same one again is no change",
        section="10",
        given=[organization(avatar=TEAL)],
        when=[organization(avatar=TEAL), organization(avatar=PLUM, avatar_type="upload")],
        announces=[changed(avatar="from <ident> to <ident>")],
    ),
    Scenario(
        title="letters keep the picture, which can be shown again",
        section="10",
        given=[organization(avatar=TEAL)],
        when=[organization(avatar_type="letter_avatar"), organization(avatar_type="upload")],
        announces=[
            changed(avatarType="from upload to letter_avatar"),
            changed(avatarType="from letter_avatar to upload"),
        ],
    ),
    Scenario(
        title="a picture may be kept without being shown",
        section="10",
        when=[organization(avatar=TEAL, avatar_type="letter_avatar"), organization(avatar_type="upload")],
        announces=[changed(avatar="to <ident>"), changed(avatarType="from letter_avatar to upload")],
    ),
    Scenario(
        title="the colour of letters is told, and changes nothing else",
        section="10",
        given=[organization(avatar=TEAL)],
        when=[organization(color="#4674ca"), organization(color="#4674ca"), organization(color="#ffffff")],
        announces=[changed(color="to #4674ca"), changed(color="from #4674ca to #ffffff")],
    ),
    Scenario(
        title="a first picture after a colour is the first one still",
        section="10",
        given=[organization(color="#4674ca")],
        when=[organization(avatar=TEAL)],
        announces=[changed(avatar="to <ident>", avatarType="from letter_avatar to upload")],
    ),
    Scenario(
        title="letters that were never a picture are no change",
        section="10",
        when=[organization(avatar_type="letter_avatar")],
        announces=[],
    ),
    Scenario(
        title="upload without any picture is refused, and nothing of the event happens",
        section="10",
        given=[organization(color="#4674ca")],
        when=[wrong := organization(avatar_type="upload", name="Acme"), organization(name="Acme Inc.")],
        announces=[changed(name="to Acme Inc.")],
        dead=[Dead(wrong, "rule", ("$.data.avatarType",))],
    ),
    Scenario(
        title="a picture of another organization does not count",
        section="10",
        given=[organization(organization="globex", avatar=TEAL)],
        when=[wrong := organization(avatar_type="upload")],
        announces=[],
        dead=[Dead(wrong, "rule", ("$.data.avatarType",))],
    ),
)
def test_avatars(system: System, scenario: Scenario) -> None:
    scenario.play(system)

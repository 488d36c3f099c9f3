"""What is particular to one message type, as data for the machinery."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Count:
    """A control total that counts the segments of a tag."""

    tag: str


@dataclass(frozen=True, slots=True)
class Sum:
    """A control total that adds up a value of the line groups' own segments.

    `qualifiers` are the kinds of value added: quantities ordered are not added to quantities despatched.
    """

    group: str  # the trigger of the line group
    tag: str
    qualifiers: frozenset[str]


ControlTotal = Count | Sum

LINES = Count("LIN")


def quantities(*qualifiers: str) -> Sum:
    """The sum of the line quantities (QTY 6060) of these kinds (6063)."""
    return Sum("LIN", "QTY", frozenset(qualifiers))


@dataclass(frozen=True, slots=True)
class Dependency:
    """In this segment, an element may stand only with another one; positions as 0098 counts them."""

    tag: str
    element: int
    needs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageType:
    """One message type.

    `control_totals` says what CNT counts, by its qualifier 6069. `service_directories` is for the messages
    of the syntax itself, which are defined with the service segments: 0052 -> directory, "" for any other.
    `acknowledges`: it answers an interchange, and is accepted from every partner.
    """

    type: str
    name_en: str
    name_fr: str
    control_totals: dict[str, ControlTotal] = field(default_factory=dict)
    dependencies: tuple[Dependency, ...] = ()
    service_directories: dict[str, str] | None = None
    acknowledges: bool = False

    def directory_of(self, version: str, release: str) -> str:
        """The directory that a message header (0052, 0054) names, such as ``D.96A``."""
        if self.service_directories is not None:
            return self.service_directories.get(version.strip(), self.service_directories[""])
        # 0052 is written wrongly more often than 0054, which alone tells the directory.
        return f"D.{release.strip().upper()}"

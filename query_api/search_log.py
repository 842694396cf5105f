"""The search log: what was searched for, what was shown where, and what made the answer.

It is an impression of every hit of every answer. No answer waits for it, nor fails by it.
"""

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from evaluation.interaction_operations import Outbox, Pseudonyms, ShownSearch
from query_api.cursors import Cursor
from query_api.live_edition import LiveEdition
from query_api.parameters import SearchRequest
from query_api.query_ids import time_of
from query_api.variants import Audience, Variant


class SearchLog:
    """Notes every search that was answered."""

    def __init__(self, outbox: Outbox, pseudonyms: Pseudonyms, editions: LiveEdition) -> None:
        self._outbox = outbox
        self._pseudonyms = pseudonyms
        self._editions = editions

    def note(
        self,
        request: SearchRequest,
        answer: Mapping[str, Any],
        *,
        page: Cursor,
        variant: Variant,
        audience: Audience,
        teams: Sequence[str] | None = None,
    ) -> None:
        """Note one page; `page` is where it begins, `teams` whose hit each is, if of several."""
        hits = answer["hits"]
        self._outbox.note(
            ShownSearch(
                day=time_of(page.query_id).date(),
                query_id=page.query_id,
                first=page.position,
                searched_at=datetime.fromtimestamp(time.time(), UTC),
                text=folded(request.text),
                types=request.entities,
                every_type=len(request.entities) == len(variant.profiles),
                # What was typed found nothing, whatever was shown in its place.
                total=0 if answer["relaxed"] else answer["total"]["value"],
                took_ms=answer["took_ms"],
                hit_types=[hit["type"] for hit in hits],
                hit_ids=[hit["id"] for hit in hits],
                teams=teams,
                variant=answer["variant"],
                experiment=answer["experiment"],
                generations=answer["generations"],
                edition=self._editions.of(variant, page.indices),
                user_hash=self._pseudonyms.user(audience.user),
                session_hash=self._pseudonyms.session(audience.session),
            )
        )


def folded(text: str) -> str:
    """The text of a query as the log has it: what differs in case alone is the same."""
    return text.casefold().replace("\0", "")

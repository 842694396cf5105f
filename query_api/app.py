"""The application: puts engine, searcher, routes and middleware together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route

from access.operations import Scope, Tokens, trust_of
from core import telemetry
from core.settings import Settings, shown
from evaluation.interaction_operations import Outbox, Pseudonyms
from query_api.access import AccessMiddleware
from query_api.admin_api import AdminApi
from query_api.admission import PROBES, AdmissionMiddleware, Room
from query_api.assembly import NETWORK_MARGIN, assemble
from query_api.assets import Assets
from query_api.dashboard import page as dashboard
from query_api.dashboard.outcomes import clicks_of, judged_of
from query_api.dashboard.page import Dashboard
from query_api.dashboard.processes import Processes, told_addresses
from query_api.dashboard.sampler import Sampler
from query_api.dashboard.services import ServiceReader
from query_api.database import Database
from query_api.doorkeeper import Doorkeeper
from query_api.entity_pages import EntityPages
from query_api.explore import Explorer
from query_api.explore_api import ExploreApi
from query_api.explore_page import ExplorePage
from query_api.failures import FailureAnswers, FailureMiddleware
from query_api.headers import (
    ADMIN_PATH,
    INTERACTIONS_PATH,
    ApiCorsMiddleware,
    SecurityHeadersMiddleware,
)
from query_api.interactions_api import InteractionsApi
from query_api.judge_page import PATH as JUDGE_PATH
from query_api.judge_page import JudgePage
from query_api.judgments_api import JudgmentsApi
from query_api.live_edition import LiveEdition
from query_api.page_sessions import LOGIN_PATH, PageSessions
from query_api.page_templates import PageTemplates
from query_api.problems import QueryError
from query_api.rate_limits import Buckets, RateLimitMiddleware
from query_api.related import RelatedSounds
from query_api.search_api import SearchApi
from query_api.search_log import SearchLog
from query_api.search_page import SearchPage
from query_api.service_routes import ServiceRoutes

# Seconds beyond those in which the engine's answer arrives, for ours to be made.
_ANSWER_MARGIN: Final = 1.0
_STREAM_MARGIN: Final = 30.0  # for the last wait of a stream
_ADMIN_SECONDS: Final = 120.0  # that an operator's request may take
_WORTH_COMPRESSING: Final = 1024  # bytes
_QUICK_COMPRESSION: Final = 4  # of 9: nearly as small, at a third of the time

_WATCHERS: Final = (Scope.DASHBOARD_READ, Scope.ADMIN)

_log = telemetry.logger("query_api")


def create_app(settings: Settings) -> Starlette:
    """The query API as an ASGI application.

    Raises `DefinitionError` when a search profile cannot be used, `TrialsError` when the file of
    experiments cannot, and `SettingsError` for a moment of Explore that is none. The engine is not
    asked yet: the process starts without it and says so at `/readyz`.
    """
    parts = assemble(settings)
    engine, trials, known = parts.engine, parts.trials, parts.profiles
    outbox = Outbox(settings) if settings.interactions == "on" else None
    editions = LiveEdition(engine, settings)
    pseudonyms = Pseudonyms(settings.interactions_secret)
    searcher = parts.searcher(SearchLog(outbox, pseudonyms, editions) if outbox else None)
    # What is searched for to be judged is nobody's search: it is in no log.
    unseen = parts.searcher(None)
    explorer = Explorer(
        searcher,
        parts.signer,
        parts.query_ids,
        deadline=settings.search_deadline,
        at=settings.explore_at,
    )
    related = RelatedSounds(searcher, deadline=settings.search_deadline)
    database = Database(settings)
    trust = trust_of(settings)
    doorkeeper = Doorkeeper(database, Tokens(trust) if trust else None)
    admin = AdminApi(settings, doorkeeper)
    templates = PageTemplates(assets := Assets())
    page = SearchPage(searcher, templates)
    sessions = PageSessions(doorkeeper, parts.secret, templates)
    judge = JudgePage(unseen, templates, database)
    board = Dashboard(
        Sampler(
            Processes(told_addresses(settings.dashboard_metrics)),
            ServiceReader(settings, engine),
            clicks_of(settings, trials),
            judged_of(settings),
        ),
        trials,
        templates,
    )
    service = ServiceRoutes(
        engine,
        settings.index_prefix,
        tuple(known),
        profiles=searcher.profiles,
        admin=settings.admin_api == "on",
    )
    failures = FailureAnswers(page.error)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        _log.info("query_api_started", entities=list(known), engine=shown(settings.engine_url))
        board.start()
        if outbox:
            outbox.start()
        try:
            yield
        finally:
            await board.close()
            await admin.close()
            await searcher.close()
            await unseen.close()
            if outbox:
                await outbox.close()
            await editions.close()
            await database.close()
            await engine.close()

    app = Starlette(
        routes=[
            Route("/", page.show),
            Route("/explore", ExplorePage(explorer, templates).show),
            Route("/v1/search", SearchApi(searcher, doorkeeper).search),
            Route("/v1/explore", ExploreApi(explorer).explore),
            Route("/v1/sounds/{id}/related", related.show),
            Route(
                INTERACTIONS_PATH,
                InteractionsApi(outbox, parts.query_ids, known).take,
                methods=["POST"],
            ),
            *_judgment_routes(JudgmentsApi(database, doorkeeper)),
            *_judge_routes(judge, sessions),
            *_admin_routes(admin),
            Route(dashboard.PATH, sessions.guarded(board.show, *_WATCHERS)),
            Route(dashboard.STREAM_PATH, sessions.guarded(board.stream, *_WATCHERS)),
            Route(LOGIN_PATH, sessions.ask),
            Route(LOGIN_PATH, sessions.enter, methods=["POST"]),
            Route("/logout", sessions.leave, methods=["POST"]),
            Route("/healthz", service.healthz),
            Route("/readyz", service.readyz),
            Route("/metrics", service.metrics),
            Route("/openapi.json", service.openapi),
            Route("/static/{name}", assets.serve),
            Route("/{permalink:path}", EntityPages(searcher, related, templates).show),
        ],
        middleware=[
            Middleware(AccessMiddleware),
            Middleware(ApiCorsMiddleware),
            Middleware(SecurityHeadersMiddleware),
            Middleware(
                GZipMiddleware, minimum_size=_WORTH_COMPRESSING, compresslevel=_QUICK_COMPRESSION
            ),
            Middleware(
                FailureMiddleware,
                answers=failures,
                time_limit=settings.search_deadline + NETWORK_MARGIN + _ANSWER_MARGIN,
                patient={
                    ADMIN_PATH: _ADMIN_SECONDS,
                    dashboard.STREAM_PATH: dashboard.STREAM_SECONDS + _STREAM_MARGIN,
                },
            ),
            Middleware(
                RateLimitMiddleware,
                answers=failures,
                doorkeeper=doorkeeper,
                addresses=Buckets(settings.address_rate_limit),
                keys=Buckets(settings.key_rate_limit),
            ),
            Middleware(
                AdmissionMiddleware,
                answers=failures,
                room=Room(
                    inside=settings.query_api_concurrency,
                    queue=settings.query_api_queue,
                    patience=settings.query_api_queue_patience,
                ),
                # A stream lasts, costs little, and is for those who have a key.
                uncounted=PROBES | {dashboard.STREAM_PATH},
            ),
        ],
        exception_handlers={QueryError: failures, HTTPException: failures},
        lifespan=lifespan,
    )
    app.router.redirect_slashes = False
    app.state.end_streams = board.end_streams
    return app


def _judgment_routes(api: JudgmentsApi) -> list[Route]:
    """What raters say, for programs."""
    path = "/v1/judgments"
    return [
        Route(path, api.guarded(api.sets)),
        Route(path + "/{set}", api.guarded(api.show)),
        Route(path + "/{set}", api.guarded(api.judge), methods=["POST"]),
        Route(path + "/{set}/{query}", api.guarded(api.query)),
    ]


def _judge_routes(page: JudgePage, sessions: PageSessions) -> list[Route]:
    """Where people judge."""
    path, scope = JUDGE_PATH + "/{set}", Scope.FEEDBACK_WRITE
    return [
        Route(JUDGE_PATH, sessions.guarded(page.start, scope)),
        Route(path, sessions.guarded(page.show, scope)),
        Route(path, sessions.guarded(page.judge, scope), methods=["POST"]),
    ]


def _admin_routes(admin: AdminApi) -> list[Route]:
    """What operators can ask for: reading by GET, acting by POST."""
    reading = {
        "generations": admin.generations,
        "history": admin.history,
        "builds": admin.builds,
        "gates/{index}": admin.last_gates,
        "ranks": admin.ranks.editions,
        "ranks/{edition}": admin.ranks.show,
    }
    acting = {
        "builds/{action}": admin.build,
        "check": admin.check,
        "reindex": admin.reindex,
        "apply": admin.apply,
        "gates": admin.gates,
        "diff": admin.diff,
        "promote": admin.promote,
        "rollback": admin.rollback,
        "retire": admin.retire,
        "ranks/diff": admin.ranks.diff,
        "ranks/publish": admin.ranks.publish,
        "ranks/rollback": admin.ranks.roll_back,
    }
    return [
        *(Route(ADMIN_PATH + path, admin.guarded(done)) for path, done in reading.items()),
        *(
            Route(ADMIN_PATH + path, admin.guarded(done), methods=["POST"])
            for path, done in acting.items()
        ),
    ]

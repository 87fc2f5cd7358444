"""Authentication, rate limits and ids. Source: HCP Terraform API, "Authentication", "Rate Limiting"."""

import httpx2
import pytest
from sqlalchemy import select

from tests.local.support import API, BASE_URL, Api, Clock
from tests.support.tables import rows
from tfruns.errors import Unauthorized
from tfruns.local.api.app import build_app
from tfruns.local.api.authentication import create_admin, user_id_of_token
from tfruns.local.api.endpoints import ENDPOINTS, Endpoint
from tfruns.local.api.rate_limit import RateLimiter
from tfruns.local.api.signer import Signer
from tfruns.local.ids import new_id, random_text
from tfruns.local.store.schema import TokenRow, UserRow

HEADERS = {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Bearer nobody's", "Basic dTpw", "nonsense", "Bearer é"]
)
async def test_missing_or_unknown_token_is_401(empty: Api, authorization: str) -> None:
    for path in ("/ping", "/runs/run-x", "/organizations"):
        response = await empty.http.get(API + path, headers={b"authorization": authorization.encode()})
        assert response.status_code == 401
        assert response.json() == {"errors": [{"status": "401", "title": "unauthorized"}]}


@rows("endpoint", ENDPOINTS)
async def test_every_endpoint_checks_the_token_first(empty: Api, endpoint: Endpoint) -> None:
    method, path = endpoint.method, endpoint.path.replace("{", "").replace("}", "")
    response = await empty.http.request(method, API + path, content=b"{", headers={"authorization": "Bearer x"})
    assert response.status_code == 401


async def test_only_the_hash_of_a_token_is_stored(empty: Api) -> None:
    token = create_admin(empty.backend)
    with empty.backend.database.read() as session:
        stored = session.scalars(select(TokenRow.sha256)).all()
    assert all(token not in digest and len(digest) == 64 for digest in stored)


async def test_new_admin_token_replaces_the_old_one(empty: Api) -> None:
    tokens = [create_admin(empty.backend) for _ in range(2)]
    with empty.backend.database.read() as session:
        assert [user_id_of_token(empty.backend, f"Bearer {tokens[1]}")] == list(session.scalars(select(UserRow.id)))
    with pytest.raises(Unauthorized):
        user_id_of_token(empty.backend, f"Bearer {tokens[0]}")


async def test_authorization_scheme_ignores_case(empty: Api) -> None:
    token = create_admin(empty.backend)
    assert user_id_of_token(empty.backend, f"bearer {token}") == user_id_of_token(empty.backend, f"BEARER  {token} ")
    with pytest.raises(Unauthorized):
        user_id_of_token(empty.backend, f"Token {token}")


async def test_ping_has_the_headers_that_the_terraform_cli_checks(empty: Api) -> None:
    # Contract notes: without `TFP-API-Version` >= 2.5 init fails; go-tfe reads requests per second from the limit.
    response = await empty.http.get(f"{API}/ping")
    assert response.status_code == 204
    assert (response.headers["tfp-api-version"], response.headers["tfp-appname"]) == ("2.6", "HCP Terraform")
    assert int(response.headers["x-ratelimit-limit"]) >= 30
    assert float(response.headers["x-ratelimit-reset"]) >= 0


async def test_discovery_needs_no_token(empty: Api) -> None:
    # Contract notes: "some need trailing slashes and `modules.v1` in discovery".
    del empty.http.headers["authorization"]
    document = (await empty.http.get(f"{BASE_URL}/.well-known/terraform.json")).json()
    assert document["tfe.v2"] == f"{API}/"
    assert {"tfe.v2.1", "tfe.v2.2", "modules.v1"} <= set(document)
    assert document.pop("login.v1")["grant_types"] == ["authz_code"]
    assert all(path.endswith("/") for path in document.values())


# -- rate limits ------------------------------------------------------------------------------------------------------


def _limiter(clock: Clock) -> RateLimiter:
    def monotonic() -> float:
        return clock.time.timestamp()

    return RateLimiter(is_limited=True, monotonic=monotonic)


@pytest.mark.parametrize(("is_run_list", "length_s"), [(False, 1.0), (True, 60.0)])
def test_31st_request_in_a_window_is_rejected(is_run_list: bool, length_s: float) -> None:
    # Contract notes: "Rate limits: 30 a second; run lists 30 a minute."
    clock = Clock()
    limiter = _limiter(clock)

    def remaining_now() -> str:
        return limiter.count("user-a", is_run_list=is_run_list).headers["x-ratelimit-remaining"]

    remaining = [remaining_now() for _ in range(30)]
    assert (remaining[0], remaining[-1]) == ("29", "0")
    clock.advance(length_s / 4)
    error = limiter.count("user-a", is_run_list=is_run_list).error
    assert error is not None
    assert error.retry_after_s == pytest.approx(length_s * 3 / 4)
    clock.advance(length_s * 3 / 4)
    assert remaining_now() == "29"


def test_each_user_has_separate_limits_for_run_lists() -> None:
    limiter = _limiter(Clock())
    for _ in range(30):
        limiter.count("user-a", is_run_list=False)
    assert limiter.count("user-a", is_run_list=False).error is not None
    assert limiter.count("user-a", is_run_list=True).error is None
    assert limiter.count("user-b", is_run_list=False).error is None


def test_without_rate_limits_no_request_is_rejected() -> None:
    limiter = RateLimiter(is_limited=False)
    for _ in range(100):
        state = limiter.count("user-a", is_run_list=True)
    assert state.error is None
    assert set(state.headers) == HEADERS


async def test_every_response_has_the_rate_limit_headers(empty: Api) -> None:
    # Clients adjust their request rate after any response.
    for path, headers, status in (
        ("/ping", {}, 204),
        ("/ping", {"authorization": "Bearer x"}, 401),
        ("/organizations/other", {}, 404),
        ("/no-such-thing", {}, 404),
        ("/runs", {}, 405),
    ):
        response = await empty.http.get(API + path, headers=headers)
        assert (response.status_code, set(response.headers) & HEADERS) == (status, HEADERS)


async def test_rate_limited_response_has_retry_after(empty: Api) -> None:
    app = build_app(empty.backend, Signer(b"k" * 32), _limiter(empty.clock))
    headers = {"authorization": f"Bearer {create_admin(empty.backend)}"}
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url=BASE_URL, headers=headers) as http:
        responses = [await http.get(f"{API}/ping") for _ in range(31)]
        unknown = await http.get(f"{API}/no-such-thing")
    assert [response.status_code for response in responses[-2:]] == [204, 429]
    limited = {"x-ratelimit-limit": "30", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "1.000",
               "retry-after": "1.000"}  # fmt: skip
    assert {name: responses[-1].headers[name] for name in limited} == limited
    assert unknown.headers["x-ratelimit-limit"] == "30"


# -- ids --------------------------------------------------------------------------------------------------------------


def test_ids_are_unique_with_a_prefix_and_16_characters() -> None:
    ids = {new_id("run") for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(id_) == 20 and id_.removeprefix("run-").isalnum() and id_.isascii() for id_ in ids)
    assert len(random_text(67)) == 67

"""The pages are loaded while a person opens the link to the first of them."""

import pytest

from tests.web.support import Pages
from tfruns.web import preload as preloading
from tfruns.web.templating import environment


@pytest.mark.parametrize("is_linked", [False, True], ids=["sign-in page", "link"])
async def test_link_and_sign_in_page_load_all_templates(pages: Pages, is_linked: bool) -> None:
    preloading.preload.cache_clear()
    environment.cache_clear()
    async with pages.browser() as browser:
        if is_linked:
            answer = await browser.post("/app/-/links", headers={"authorization": f"Bearer {pages.token}"})
            assert answer.status_code == 201
        else:
            assert (await browser.get("/app")).status_code == 401
    preloading.preload().join(timeout=60)
    cache = environment().cache
    assert cache is not None
    assert len(cache) == len(environment().list_templates(extensions=["html"]))

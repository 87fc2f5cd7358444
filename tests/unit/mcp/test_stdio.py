"""Finding the id of a request that cannot be parsed."""

import time

from tfruns.mcp.stdio import top_level_id


def test_the_id_is_that_of_the_request_and_of_nothing_inside() -> None:
    assert top_level_id('{"params":{"id":1,"x":["id",2]},"id":3}') == 3
    assert top_level_id('{"id" : "a-b" ,"params":[[[') == "a-b"
    assert top_level_id('{"method":"id","params":[') is None
    assert top_level_id('{"a":"\\",\\"id\\":5,","id":6}') == 6
    assert top_level_id('{"id":null,"params":[]}') is None
    assert top_level_id("[" * 100) is None


def test_it_is_found_in_a_time_that_grows_with_the_line_alone() -> None:
    for text in ('"', '\\"', "[", '"id":', '"id"', "{", "\\"):
        began = time.perf_counter()
        top_level_id("{" + text * 500_000)
        assert time.perf_counter() - began < 3, text

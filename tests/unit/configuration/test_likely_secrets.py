"""Files that an upload excludes as likely secrets."""

from tfruns.configuration.ignore import is_terraform_internal
from tfruns.configuration.likely_secrets import is_likely_secret, is_loaded_by_terraform

LIKELY = [
    ".env",
    ".env.production",
    "prod.env",
    ".envrc",
    "modules/a/.ENV",
    "server.pem",
    "tls.key",
    "cert.p12",
    "cert.pfx",
    "putty.ppk",
    "store.jks",
    "id_rsa",
    ".ssh/id_ed25519",
    "id_ecdsa_sk",
    ".ssh/config",
    ".aws/credentials",
    ".aws/config",
    ".kube/config",
    ".docker/config.json",
    ".netrc",
    "_netrc",
    ".npmrc",
    ".pypirc",
    ".git-credentials",
    ".terraformrc",
    "terraform.rc",
    ".tofurc",
    "credentials.tfrc.json",
    "gcp-credentials.json",
    "accesskeys_credentials.csv",
    "kubeconfig",
    "prod.kubeconfig",
    "my-service-account.json",
    "prod.tfvars",
    "prod.tfvars.json",
    "saved.tfplan",
    "tfplan",
    ".vault-token",
    ".pgpass",
]

HARMLESS = [
    "main.tf",
    "main.tf.json",
    "variables.tofu",
    "terraform.tfvars",
    "terraform.tfvars.json",
    "prod.auto.tfvars",
    "prod.auto.tfvars.json",
    ".env.example",
    ".env.sample",
    "prod.tfvars.example",
    "id_rsa.pub",
    "README.md",
    "keys.tf",
    "policy.json",
    "templates/user_data.sh",
    ".terraform.lock.hcl",
    ".terraform-version",
    "environment.yaml",
    "key.txt",
    "modules/env/main.tf",
]

PLAN = b"PK\x03\x04\x14\x00\x08\x00\x08\x00" + b"\x00" * 16 + b"\x06\x00\x00\x00tfplan"


def test_likely_secrets_are_recognized_by_name() -> None:
    assert [path for path in LIKELY if not is_likely_secret(path)] == []
    assert [path for path in HARMLESS if is_likely_secret(path)] == []


def test_likely_secrets_are_recognized_by_content() -> None:
    key = b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA"
    account = b'{"type": "service_account", "private_key": "-----BEGIN"}'
    certificate = b"-----BEGIN CERTIFICATE-----\nAAAA"
    assert is_likely_secret("out.bin", PLAN)
    assert is_likely_secret("deploy", key)
    assert is_likely_secret("gcp.json", account)
    assert not is_likely_secret("ca.pem", certificate)
    assert is_likely_secret("both.pem", certificate + b"\n" + key)
    assert not is_likely_secret("lambda.zip", PLAN.replace(b"tfplan", b"index0"))
    assert not is_likely_secret("main.tf", b'variable "key" { default = "-----BEGIN OPENSSH PRIVATE KEY-----" }')


def test_automatically_loaded_variable_files_are_recognized() -> None:
    loaded = ["terraform.tfvars", "a/terraform.tfvars.json", "x.auto.tfvars", "x.auto.tfvars.json"]
    assert all(map(is_loaded_by_terraform, loaded))
    assert not any(map(is_loaded_by_terraform, ["prod.tfvars", "main.tf", "terraform.tfvars.bak"]))


def test_states_of_any_name_are_internal_to_terraform() -> None:
    names = ["terraform.tfstate", "terraform.tfstate.backup", "terraform.tfstate-old", "errored.tfstate", "a.tfstate.1"]
    assert all(map(is_terraform_internal, names))

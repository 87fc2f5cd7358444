"""Dangerous changes: why they are dangerous, and their order in a review."""

from tfruns.review.plan_document import Action, Change

# Prefixes of resource types that store data, of the most used providers. Destroying such a resource loses the data.
_DATA_STORE_PREFIXES = (
    # AWS
    "aws_db_instance",
    "aws_db_cluster_snapshot",
    "aws_db_snapshot",
    "aws_rds_cluster",
    "aws_rds_global_cluster",
    "aws_dynamodb_global_table",
    "aws_lightsail_bucket",
    "aws_lightsail_database",
    "aws_lightsail_disk",
    "aws_mq_broker",
    "aws_docdb_cluster",
    "aws_neptune_cluster",
    "aws_dynamodb_table",
    "aws_elasticache_",
    "aws_memorydb_cluster",
    "aws_redshift_cluster",
    "aws_redshiftserverless_namespace",
    "aws_opensearch_domain",
    "aws_elasticsearch_domain",
    "aws_s3_bucket",
    "aws_s3_object",
    "aws_s3_directory_bucket",
    "aws_s3tables_",
    "aws_ebs_volume",
    "aws_ebs_snapshot",
    "aws_efs_file_system",
    "aws_fsx_",
    "aws_glacier_vault",
    "aws_backup_vault",
    "aws_kinesis_stream",
    "aws_msk_cluster",
    "aws_sqs_queue",
    "aws_ecr_repository",
    "aws_cognito_user_pool",
    "aws_kms_key",
    "aws_secretsmanager_secret",
    "aws_ssm_parameter",
    "aws_timestream",
    "aws_keyspaces_table",
    "aws_qldb_ledger",
    "aws_route53_zone",
    "aws_cloudwatch_log_group",
    # Azure
    "azurerm_storage_account",
    "azurerm_storage_blob",
    "azurerm_storage_container",
    "azurerm_storage_share",
    "azurerm_storage_table",
    "azurerm_storage_queue",
    "azurerm_storage_data_lake",
    "azurerm_managed_disk",
    "azurerm_snapshot",
    "azurerm_mssql_",
    "azurerm_mysql_",
    "azurerm_postgresql_",
    "azurerm_mariadb_",
    "azurerm_sql_",
    "azurerm_cosmosdb_",
    "azurerm_redis_",
    "azurerm_managed_redis",
    "azurerm_mongo_cluster",
    "azurerm_resource_group",
    "azurerm_kusto_",
    "azurerm_synapse_",
    "azurerm_netapp_volume",
    "azurerm_key_vault",
    "azurerm_container_registry",
    "azurerm_eventhub",
    "azurerm_servicebus_",
    "azurerm_recovery_services_vault",
    "azurerm_log_analytics_workspace",
    # Google Cloud
    "google_sql_",
    "google_spanner_",
    "google_bigtable_",
    "google_bigquery_dataset",
    "google_bigquery_table",
    "google_firestore_",
    "google_datastore_",
    "google_redis_",
    "google_memorystore_",
    "google_alloydb_",
    "google_storage_bucket",
    "google_filestore_",
    "google_compute_disk",
    "google_compute_region_disk",
    "google_compute_snapshot",
    "google_pubsub_",
    "google_secret_manager_secret",
    "google_kms_",
    "google_artifact_registry_repository",
    "google_dns_managed_zone",
    # Others
    "alicloud_db_instance",
    "alicloud_oss_bucket",
    "cloudflare_d1_database",
    "cloudflare_r2_bucket",
    "cloudflare_workers_kv_namespace",
    "cloudflare_zone",
    "hcloud_volume",
    "linode_database_",
    "linode_object_storage_bucket",
    "linode_volume",
    "mongodbatlas_flex_cluster",
    "mongodbatlas_serverless_instance",
    "mysql_database",
    "openstack_blockstorage_volume",
    "postgresql_database",
    "scaleway_object_bucket",
    "scaleway_rdb_",
    "vultr_database",
    "digitalocean_database_",
    "digitalocean_volume",
    "digitalocean_spaces_bucket",
    "oci_database_",
    "oci_objectstorage_bucket",
    "oci_core_volume",
    "kubernetes_persistent_volume",
    "kubernetes_namespace",
    "kubernetes_secret",
    "mongodbatlas_cluster",
    "mongodbatlas_advanced_cluster",
    "snowflake_database",
    "snowflake_schema",
    "snowflake_table",
    "confluent_kafka_",
    "vault_mount",
    "random_password",
    "tls_private_key",
)
# Suffixes of types that match a prefix above but store no data: settings of a data store, which can be recreated.
_SETTINGS_SUFFIXES = (
    "_access_control",
    "_acl",
    "_access_block",
    "_association",
    "_attachment",
    "_binding",
    "_configuration",
    "_firewall_rule",
    "_iam_binding",
    "_iam_member",
    "_iam_policy",
    "_inventory",
    "_lifecycle_policy",
    "_logging",
    "_metric",
    "_network_rules",
    "_notification",
    "_ownership_controls",
    "_parameter_group",
    "_rotation",
    "_policy",
    "_rule",
    "_subnet_group",
    "_versioning",
)

_ORDER = (Action.UNKNOWN, Action.DESTROY, Action.REPLACE, Action.FORGET, Action.INVOKE)


def stores_data(type_: str) -> bool:
    """Whether a resource of this type stores data that is lost when the resource is destroyed."""
    return type_.startswith(_DATA_STORE_PREFIXES) and not type_.endswith(_SETTINGS_SUFFIXES)


def _is_data_store(change: Change) -> bool:
    return stores_data(change.type) and not change.is_invocation


def danger_rank(change: Change) -> tuple[int, bool]:
    """A sort key that puts the most dangerous changes first and, among equal actions, data stores first."""
    is_data_store = _is_data_store(change)
    if change.action in _ORDER:
        return _ORDER.index(change.action), not is_data_store
    is_store_update = is_data_store and change.action is Action.UPDATE
    return len(_ORDER) + (not is_store_update), True


def danger_of(change: Change) -> str:
    """Why a change is dangerous; empty if it is not."""
    is_data_store = _is_data_store(change)
    why = _WHY.get(change.action, "")
    if change.is_forgetting_replacement:
        why = "will be replaced; the old object will be forgotten, not destroyed"
    if why and is_data_store:
        return f"{why}; it {STORES_DATA}"
    is_store_update = is_data_store and change.action is Action.UPDATE
    return f"will be updated in place; it {STORES_DATA}" if is_store_update else why


STORES_DATA = "stores data"
_WHY = {
    Action.UNKNOWN: "has a planned action that tfruns does not recognize",
    Action.DESTROY: "will be destroyed",
    Action.REPLACE: "will be destroyed and recreated",
    Action.FORGET: "will no longer be managed by Terraform, but will not be destroyed",
    Action.INVOKE: "will be invoked; the plan does not show what the action changes",
}

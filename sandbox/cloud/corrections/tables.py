"""DynamoDB's tables."""

from typing import Any

from moto.dynamodb.exceptions import ResourceNotFoundException
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

from past import past

_update = DynamoHandler.update_table
_describe_table = DynamoHandler.describe_table
_describe = Table.describe


def apply() -> None:
    DynamoHandler.update_table = update_table
    DynamoHandler.describe_table = describe_table
    Table.describe = describe


def update_table(self: Any) -> Any:
    """Encryption and class can be changed too.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateTable.html
    """
    table = self.dynamodb_backend.get_table(self.body["TableName"])
    encryption = self.body.get("SSESpecification")
    if encryption is not None:
        default = table._get_default_encryption_key(table.account_id, table.region_name)
        table.sse_specification = {"KMSMasterKeyId": default, **encryption}
    if self.body.get("TableClass"):
        table.table_class = self.body["TableClass"]
    return _update(self)


def describe_table(self: Any) -> Any:
    """Right after its creation a table may not be found; items are read and written as soon as it is active.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_DescribeTable.html
    """
    name = self.body["TableName"]
    table = self.dynamodb_backend.tables.get(name)
    if table is not None and past.is_hidden(table.created_at):
        raise ResourceNotFoundException(table_name=name)
    return _describe_table(self)


def describe(self: Table, base_key: str = "TableDescription") -> dict[str, Any]:
    """https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TableDescription.html"""
    result = _describe(self, base_key)
    if getattr(self, "table_class", None):
        result[base_key]["TableClassSummary"] = {"TableClass": self.table_class}
    return result

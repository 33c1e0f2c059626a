"""DynamoDB's transactions: idempotent, and as quick in a large table as in a small one."""

import copy
import hashlib
import json
import time
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.exceptions import DynamodbException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table
from moto.dynamodb.responses import DynamoHandler

_respond = DynamoHandler.transact_write_items
_transact = DynamoDBBackend.transact_write_items

# How long a token is remembered.
TOKEN_SECONDS = 600


def apply() -> None:
    DynamoHandler.transact_write_items = respond
    DynamoDBBackend.transact_write_items = transact_write_items


class IdempotentParameterMismatch(DynamodbException):
    error_type = "com.amazonaws.dynamodb.v20120810#IdempotentParameterMismatchException"

    def __init__(self) -> None:
        super().__init__(self.error_type, "The client request token was used with other parameters before.")


def respond(self: Any) -> Any:
    """A token that succeeded within ten minutes succeeds again and changes nothing; other parameters are an error.
    https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
    """
    token = self.body.get("ClientRequestToken")
    if token is None:
        return _respond(self)
    tokens = self.dynamodb_backend.__dict__.setdefault("transactions_by_token", {})
    for known in [known for known, (_, since) in tokens.items() if time.monotonic() - since > TOKEN_SECONDS]:
        del tokens[known]
    digest = hashlib.sha256(json.dumps(self.body["TransactItems"], sort_keys=True).encode()).hexdigest()
    if token in tokens:
        if tokens[token][0] != digest:
            raise IdempotentParameterMismatch()
        return ActionResult({"ConsumedCapacity": [], "ItemCollectionMetrics": {}})
    result = _respond(self)
    tokens[token] = (digest, time.monotonic())
    return result


def transact_write_items(self: Any, transact_items: list[dict[str, Any]]) -> None:
    """Undoes the items concerned when a transaction is cancelled, where moto copies each table before it starts.
    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
    """
    before = [known for item in transact_items if (known := _before(self, item)) is not None]
    Table.__deepcopy__ = lambda self, memo: self
    try:
        _transact(self, transact_items)
    except Exception:
        for table, hash_key, range_key, item in before:
            _restore(table, hash_key, range_key, item)
        raise
    finally:
        del Table.__deepcopy__


def _before(backend: Any, transact_item: dict[str, Any]) -> tuple[Table, DynamoType, DynamoType | None, Any] | None:
    operation = next(iter(transact_item.values()))
    table = backend.tables.get(operation.get("TableName"))
    key = operation.get("Key") or operation.get("Item") or {}
    if table is None or table.hash_key_attr not in key or (table.has_range_key and table.range_key_attr not in key):
        return None
    hash_key = DynamoType(key[table.hash_key_attr])
    range_key = DynamoType(key[table.range_key_attr]) if table.has_range_key else None
    return table, hash_key, range_key, copy.deepcopy(table.get_item(hash_key, range_key))


def _restore(table: Table, hash_key: DynamoType, range_key: DynamoType | None, item: Any) -> None:
    if item is None:
        table.delete_item(hash_key, range_key)
    elif range_key is None:
        table.items[hash_key] = item
    else:
        table.items[hash_key][range_key] = item

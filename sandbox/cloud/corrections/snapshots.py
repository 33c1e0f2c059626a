"""Snapshots of volumes and of RDS instances take their time."""

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.models.elastic_block_store import EBSBackend, Snapshot
from moto.ec2.responses.elastic_block_store import ElasticBlockStore
from moto.rds.models import RDSBackend

from cloud import timers
from settings import settings

_create = EBSBackend.create_snapshot
_create_db = RDSBackend.create_db_snapshot
_describe = ElasticBlockStore.describe_snapshots


def apply() -> None:
    EBSBackend.create_snapshot = create_snapshot
    Snapshot.progress = property(lambda self: getattr(self, "share", "100%"))
    RDSBackend.create_db_snapshot = create_db_snapshot
    ElasticBlockStore.describe_snapshots = describe_snapshots


def create_snapshot(self: Any, *args: Any, **kwargs: Any) -> Any:
    """`pending`, then `completed`. https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Snapshot.html"""
    snapshot = _create(self, *args, **kwargs)
    if snapshot.from_ami is None:
        snapshot.status = "pending"
        snapshot.share = "0%"

        def completed() -> None:
            snapshot.status = "completed"
            snapshot.share = "100%"

        timers.after(settings.snapshotSeconds, completed)
    return snapshot


def create_db_snapshot(self: Any, *args: Any, **kwargs: Any) -> Any:
    """`creating`, then `available`. https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_DBSnapshot.html"""
    snapshot = _create_db(self, *args, **kwargs)
    snapshot.status = "creating"
    snapshot.percent_progress = 0

    def available() -> None:
        snapshot.status = "available"
        snapshot.percent_progress = 100

    timers.after(settings.snapshotSeconds, available)
    return snapshot


def describe_snapshots(self: Any) -> ActionResult:
    """Owners that are asked for, `self` for one's own: those of public images belong to somebody else.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html
    """
    answer = _describe(self)
    owners = {self.current_account if owner == "self" else owner for owner in self._get_param("OwnerIds", [])}
    if owners:
        answer.result["Snapshots"] = [each for each in answer.result["Snapshots"] if each.owner_id in owners]
    return answer

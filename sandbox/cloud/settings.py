"""Settings of the cloud: at the start by a file, and while it runs by POST /sandbox/settings."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass
class Settings:
    # How long an instance is `pending` before it runs, in seconds.
    bootSeconds: float = 2
    # How long a minute of status checks lasts, in seconds: the first comes one or two after an instance runs.
    statusCheckSeconds: float = 1
    # How long an instance is `shutting-down` or `stopping`, in seconds.
    shutdownSeconds: float = 0.5
    # How long an array takes to find out that somebody ended one of its instances, in seconds.
    arrayHealthCheckSeconds: float = 1
    # How long a minute of autoscaling lasts, that its warm-up and grace periods are counted in, in seconds.
    scalingMinuteSeconds: float = 1
    # How long a snapshot is `pending` (RDS: `creating`), in seconds.
    snapshotSeconds: float = 1
    # How long a load balancer is `provisioning`, in seconds.
    provisionSeconds: float = 0.5
    # How long a minute of the load balancer's metrics lasts, in seconds. They come late by up to two.
    metricMinuteSeconds: float = 1
    # The longest that a change takes to be seen by a Describe call, in seconds.
    staleReadSeconds: float = 0
    # To calls with this access key none is late: those of whoever checks a sandbox.
    observerKey: str = "observer"
    # Elastic IPs come from here.
    addressPool: str = "127.128.0.0/16"
    # Addresses that AWS assigns by itself come from here: nobody has them, and nothing listens on them.
    publicAddressPool: str = "198.18.0.0/15"
    # Pools of public addresses beside Amazon's: { poolId, addressCount }. Their addresses are of the pool above, too.
    pools: list[dict[str, Any]] = field(default_factory=list)
    # How long an instance whose Elastic IP has left waits for an address of its own, in seconds; on AWS a few minutes.
    publicAddressSeconds: float = 4
    # Each node of a load balancer gets an address from here.
    loadBalancerPool: str = "127.144.0.0/16"
    # Nodes of a load balancer in each of its zones.
    balancerNodesPerZone: int = 3
    # Instances whose status checks fail from now on.
    impairedInstances: list[str] = field(default_factory=list)
    # Images beside those of images.json: { imageId, architecture, name?, rootDeviceName? }.
    images: list[dict[str, str]] = field(default_factory=list)
    # Repeats ids, faults and delays.
    seed: int = 42

    def change(self, values: dict[str, Any]) -> None:
        known = {each.name for each in fields(self)}
        unknown = sorted(set(values) - known)
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(unknown)}; known: {', '.join(sorted(known))}")
        for name, value in values.items():
            setattr(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


settings = Settings()

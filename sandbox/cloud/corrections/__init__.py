"""Where moto departs from AWS on the runbook's path. Each function cites the AWS page that it follows."""

from corrections import (
    addresses,
    arrays,
    cloudwatch,
    dependencies,
    instances,
    launch_templates,
    launches,
    listeners,
    load_balancers,
    private_addresses,
    scaling,
    snapshots,
    systems_manager,
    tables,
    target_groups,
    transactions,
    volumes,
)

_ALL = (
    addresses,
    arrays,
    cloudwatch,
    dependencies,
    instances,
    launch_templates,
    launches,
    listeners,
    load_balancers,
    private_addresses,
    scaling,
    snapshots,
    systems_manager,
    tables,
    target_groups,
    transactions,
    volumes,
)


def apply() -> None:
    for each in _ALL:
        each.apply()

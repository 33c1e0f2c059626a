"""Where moto departs from AWS on the runbook's path. Each function cites the AWS page that it follows."""

from corrections import (
    address_pools,
    addresses,
    array_health,
    arrays,
    cloudwatch,
    dependencies,
    instance_refresh,
    instances,
    launch_templates,
    launches,
    listeners,
    load_balancers,
    nat_gateways,
    notifications,
    private_addresses,
    public_addresses,
    routes,
    scaling_policies,
    scheduled_actions,
    snapshots,
    systems_manager,
    tables,
    target_groups,
    transactions,
    volumes,
)

_ALL = (
    address_pools,
    addresses,
    array_health,
    arrays,
    cloudwatch,
    dependencies,
    instance_refresh,
    instances,
    launch_templates,
    launches,
    listeners,
    load_balancers,
    nat_gateways,
    notifications,
    private_addresses,
    public_addresses,
    routes,
    scaling_policies,
    scheduled_actions,
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

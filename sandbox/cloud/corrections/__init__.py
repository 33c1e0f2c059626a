"""Where moto departs from AWS on the runbook's path. Each function cites the AWS page that it follows."""

from corrections import addresses, instances, launch_templates, listeners, load_balancers, snapshots, target_groups

_ALL = (addresses, instances, launch_templates, listeners, load_balancers, snapshots, target_groups)


def apply() -> None:
    for each in _ALL:
        each.apply()

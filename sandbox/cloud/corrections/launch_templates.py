"""Launch templates."""

import copy
from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import InvalidLaunchTemplateIdNotFound
from moto.ec2.models.launch_templates import LaunchTemplate, LaunchTemplateBackend
from moto.ec2.responses.launch_templates import LaunchTemplates
from moto.ec2.utils import parse_user_data

_create = LaunchTemplateBackend.create_launch_template
_describe = LaunchTemplateBackend.describe_launch_templates
_get_int = LaunchTemplates._get_int_param


def apply() -> None:
    LaunchTemplateBackend.create_launch_template = create_launch_template
    LaunchTemplateBackend.describe_launch_templates = describe_launch_templates
    LaunchTemplates.create_launch_template_version = create_launch_template_version
    LaunchTemplates._get_int_param = get_int_param


def create_launch_template(
    self: Any, name: str, description: str, template_data: dict[str, Any], tag_spec: dict[str, Any]
) -> LaunchTemplate:
    """The template's own tags are no part of its data, and empty user data is none.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplate.html
    """
    if str(template_data.get("UserData") or "") == "":
        template_data.pop("UserData", None)
    specifications = template_data.pop("TagSpecifications", [])
    of_instances = [each for each in specifications if each["ResourceType"] != "launch-template"]
    if of_instances:
        template_data["TagSpecifications"] = of_instances
    return _create(self, name, description, template_data, tag_spec)


def create_launch_template_version(self: Any) -> ActionResult:
    """A version inherits from its source version what it does not state.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html
    """
    name, template_id = self._get_param("LaunchTemplateName"), self._get_param("LaunchTemplateId")
    backend = self.ec2_backend
    template = backend.get_launch_template_by_name(name) if name else backend.get_launch_template(template_id)
    data = self._get_param("LaunchTemplateData", {})
    if data.get("UserData") is not None:
        data["UserData"] = parse_user_data(data["UserData"] or None)
    source = self._get_param("SourceVersion")
    if source is not None:
        data = {**copy.deepcopy(template.get_version(source).data), **data}
    self.error_on_dryrun()
    version = template.create_version(data, self._get_param("VersionDescription"))
    return ActionResult(
        {
            "LaunchTemplateVersion": {
                "CreateTime": version.create_time,
                "CreatedBy": f"arn:{self.partition}:iam::{self.current_account}:root",
                "DefaultVersion": template.is_default(version),
                "LaunchTemplateData": version.data,
                "LaunchTemplateId": template.id,
                "LaunchTemplateName": template.name,
                "VersionDescription": version.description,
                "VersionNumber": version.number,
            }
        }
    )


def describe_launch_templates(
    self: Any, template_names: list[str] | None = None, template_ids: list[str] | None = None, filters: Any = None
) -> list[LaunchTemplate]:
    """An unknown id is an error.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html
    """
    for template_id in template_ids or []:
        if template_id not in self.launch_templates:
            raise InvalidLaunchTemplateIdNotFound(template_id)
    return _describe(self, template_names, template_ids, filters)


def get_int_param(self: Any, name: str, default: int | None = None) -> int | None:
    """A page holds up to 200 results.
    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeLaunchTemplates.html
    """
    return _get_int(self, name, 200 if name == "MaxResults" else default)

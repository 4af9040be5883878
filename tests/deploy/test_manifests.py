"""The files of compose, Kubernetes and systemd, by the schemas of each and by what they share."""

import shutil
import subprocess
import sys
from pathlib import Path

import kubernetes_validate
import pytest

from tests.deploy import files

KINDS = ("deployment", "service", "poddisruptionbudget")
# The first in which preStop can sleep by itself.
OLDEST = "1.30"


def test_compose_file_is_one() -> None:
    command = ["check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(files.COMPOSE)]
    told = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    assert told.returncode == 0, told.stdout


def test_compose_asks_for_gpus_and_lets_kernels_be_loaded() -> None:
    service = files.compose_service()
    (device,) = service["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]
    # Docker mounts a tmpfs from which nothing is executed.
    assert "/tmp:exec" in service["tmpfs"]
    assert service["read_only"]


@pytest.mark.parametrize("version", [OLDEST, kubernetes_validate.latest_version()])
@pytest.mark.parametrize("kind", KINDS)
def test_manifests_are_what_kubernetes_knows(kind: str, version: str) -> None:
    kubernetes_validate.validate(files.manifest(kind), version, strict=True)


def test_kustomize_finds_all_of_them_and_the_image() -> None:
    kustomization = files.manifest("kustomization")
    assert kustomization["resources"] == [f"{kind}.yaml" for kind in KINDS]
    assert len(list(files.KUBERNETES.iterdir())) == len(KINDS) + 1
    (image,) = kustomization["images"]
    assert image["name"] == files.container()["image"]
    assert image["newTag"] == files.PROJECT["version"]


def test_service_and_budget_are_about_the_pods() -> None:
    template = files.manifest("deployment")["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert files.manifest("deployment")["spec"]["selector"]["matchLabels"] == labels
    assert files.manifest("service")["spec"]["selector"] == labels
    assert files.manifest("poddisruptionbudget")["spec"]["selector"]["matchLabels"] == labels
    (port,) = files.manifest("service")["spec"]["ports"]
    (own,) = files.container()["ports"]
    assert port["targetPort"] == own["name"]
    assert str(own["containerPort"]) == files.image_environment()["FUNCTIONARY_PORT"]


def test_a_pod_runs_as_the_image_does_with_a_gpu_and_room_to_write() -> None:
    pod, container = files.pod(), files.container()
    user, _, group = files.told("USER")[0].partition(":")
    security = pod["securityContext"]
    assert (security["runAsUser"], security["runAsGroup"]) == (int(user), int(group))
    assert security["fsGroup"] == int(group)  # may write the caches, and read the keys
    assert int(container["resources"]["limits"]["nvidia.com/gpu"]) == 1
    mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert mounts.keys() == volumes.keys()
    assert mounts["shared-memory"] == "/dev/shm"
    assert volumes["shared-memory"]["emptyDir"]["medium"] == "Memory"
    file = next(a for a in container["args"] if a.startswith("--api-key-file="))
    assert file.partition("=")[2].startswith(mounts["keys"] + "/")
    # A service of that name would set FUNCTIONARY_SGL_PORT in every pod beside it.
    assert pod["enableServiceLinks"] is False


def test_a_start_may_take_as_long_as_the_rollout_waits() -> None:
    probe = files.container()["startupProbe"]
    start = probe["periodSeconds"] * probe["failureThreshold"]
    assert files.manifest("deployment")["spec"]["progressDeadlineSeconds"] > start


def test_the_unit_keeps_devices_and_gives_kernels_their_memory() -> None:
    service = files.unit()["Service"]
    # Each of these closes /dev/nvidia*, or forbids what compilers do.
    assert not service.keys() & {"PrivateDevices", "ProtectClock", "DevicePolicy", "DeviceAllow"}
    assert "MemoryDenyWriteExecute" not in service
    # The engine's processes serve until the server has drained.
    assert service["KillMode"] == ["mixed"]
    assert service["ExecReload"] == ["/bin/kill -HUP $MAINPID"]  # has the keys read again
    assert service["RestartPreventExitStatus"] == ["2"]


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd is not here; what its unit says is held to the rest by other tests")
    # It looks whether the command is there.
    text = files.UNIT.read_text().replace(
        "/opt/functionary-sgl/bin/functionary-sgl", sys.executable
    )
    (tmp_path / files.UNIT.name).write_text(text)
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / files.UNIT.name)]
    told = subprocess.run(command, capture_output=True, text=True)
    assert (told.returncode, told.stderr) == (0, "")

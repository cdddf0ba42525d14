"""`auto` counts what a container really grants; the files are faked below a directory."""

import pytest

from greenserve import cpus

PERIOD = "cpu.cfs_period_us"
QUOTA = "cpu.cfs_quota_us"


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A file system with nothing in it, on a machine of eight cores."""
    monkeypatch.setattr(cpus, "count_cores", lambda: 8)
    return tmp_path


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def v1(group, quota, period=100_000):
    return {f"{group}/{QUOTA}": f"{quota}\n", f"{group}/{PERIOD}": f"{period}\n"}


@pytest.mark.parametrize(
    ("membership", "limits", "expected"),
    [
        pytest.param("", {}, 8, id="no cgroups"),
        pytest.param("0::/", {"cpu.max": "max 100000"}, 8, id="v2, no limit"),
        pytest.param("0::/", {"cpu.max": "200000 100000"}, 2, id="v2, container"),
        pytest.param("0::/", {"cpu.max": "250000 100000"}, 3, id="v2, rounded up"),
        pytest.param("0::/", {"cpu.max": "50000 100000"}, 1, id="v2, half a cpu"),
        pytest.param("0::/", {"cpu.max": "6400000 100000"}, 8, id="v2, more than there are cores"),
        pytest.param("0::/a/b", {"a/b/cpu.max": "300000 100000"}, 3, id="v2, nested"),
        pytest.param("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "200000 100000"}, 2, id="v2, group around it"),
        pytest.param("0::/docker/4f5e", {"cpu.max": "200000 100000"}, 2, id="v2, path of the host"),
        pytest.param("0::/../x", {"cpu.max": "200000 100000"}, 2, id="v2, moved in from outside"),
        pytest.param("3:cpu,cpuacct:/", v1("cpu,cpuacct", -1), 8, id="v1, no limit"),
        pytest.param("3:cpu,cpuacct:/", v1("cpu,cpuacct", 150_000), 2, id="v1, container"),
        pytest.param("3:cpu,cpuacct:/docker/4f5e", v1("cpu", 300_000), 3, id="v1, path of the host"),
        pytest.param("1:cpu:/a\n0::/", v1("cpu/a", 100_000, period=50_000), 2, id="v1, nested"),
        pytest.param("nonsense\n::", {"cpu.max": "x y z"}, 8, id="not what it should be"),
    ],
)
def test_the_smaller_of_cores_and_quota_counts(root, membership, limits, expected):
    write(root, {"proc/self/cgroup": membership} | {f"sys/fs/cgroup/{name}": text for name, text in limits.items()})

    assert expected == cpus.count_usable_cpus(root)


def test_the_real_machine_has_at_least_one():
    assert cpus.count_usable_cpus() in range(1, cpus.count_cores() + 1)

"""What a configuration wants of the fleet."""

from greenserve.config import Config
from greenserve.master.member import PROBATION, Plan


def plan_of(config: Config) -> Plan:
    """Return it. Who edits a file and looks at once is not to see old code first."""
    return Plan(
        1,
        config.resolved_workers,
        config.graceful_timeout,
        config.max_surge,
        config.drain_delay,
        trial=config.canary or (0.0 if config.reload else PROBATION),
        canary=config.canary > 0,
        canary_errors=config.canary_errors,
        aborts=config.worker_abort is not None,
    )

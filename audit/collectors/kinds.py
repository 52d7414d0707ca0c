"""Which collector reads which kind of target."""

from collections.abc import Mapping
from typing import Final

from audit.collectors.dcgm import DcgmCollector
from audit.collectors.host import HostCollector
from audit.collectors.nvidia_gpu_exporter import NvidiaGpuExporterCollector
from audit.collectors.reading import Collector
from audit.collectors.vllm import VllmCollector
from audit.models import TargetKind

COLLECTORS: Final[Mapping[str, Collector]] = {
    TargetKind.VLLM: VllmCollector(),
    TargetKind.DCGM: DcgmCollector(),
    TargetKind.NVIDIA_GPU_EXPORTER: NvidiaGpuExporterCollector(),
    TargetKind.HOST: HostCollector(),
}

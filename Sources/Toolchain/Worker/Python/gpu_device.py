"""The GPU: what it is, its clocks and temperature (read only), its L2 cache."""

import ctypes

import torch

_LIMIT_PERSISTING_L2 = 6  # CU_LIMIT_PERSISTING_L2_CACHE_SIZE, cuda.h


def facts(device):
    """What torch says about the device."""
    if device.type != "cuda":
        return {"name": "cpu", "isGPU": False}
    properties = torch.cuda.get_device_properties(device)
    free, total = torch.cuda.mem_get_info(device)
    return {
        "name": properties.name, "isGPU": True,
        "multiprocessors": properties.multi_processor_count,
        "capability": "%d.%d" % (properties.major, properties.minor),
        "memoryBytes": total, "freeBytes": free,
        "l2Bytes": getattr(properties, "L2_cache_size", 0),
        "sharedBytesPerBlock": getattr(properties, "shared_memory_per_block_optin", 0),
    }


class Monitor:
    """Clocks and temperature through NVML; every reading is None where that is not to be had."""

    def __init__(self, device):
        self._nvml, self._handle = None, None
        if device.type != "cuda":
            return
        try:
            nvml = ctypes.CDLL("libnvidia-ml.so.1")
            if nvml.nvmlInit_v2() != 0:
                return
            handle = ctypes.c_void_p()
            uuid = str(getattr(torch.cuda.get_device_properties(device), "uuid", ""))
            found = 1
            if uuid:
                text = uuid if uuid.startswith("GPU-") else "GPU-" + uuid
                found = nvml.nvmlDeviceGetHandleByUUID(text.encode(), ctypes.byref(handle))
            if found != 0 and torch.cuda.device_count() == 1:
                found = nvml.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle))
            if found == 0:
                self._nvml, self._handle = nvml, handle
        except (OSError, AttributeError):
            return

    def read(self):
        """SM and memory clock in MHz, temperature in °C, power in W, reasons for lower clocks."""
        if self._nvml is None:
            return {}
        found = {}

        def number(name, call, kind=ctypes.c_uint, scale=1):
            value = kind()
            try:
                if call(ctypes.byref(value)) == 0:
                    found[name] = value.value / scale if scale != 1 else value.value
            except AttributeError:
                pass

        nvml, handle = self._nvml, self._handle
        number("smMHz", lambda v: nvml.nvmlDeviceGetClockInfo(handle, 1, v))
        number("memoryMHz", lambda v: nvml.nvmlDeviceGetClockInfo(handle, 2, v))
        number("temperatureC", lambda v: nvml.nvmlDeviceGetTemperature(handle, 0, v))
        number("powerW", lambda v: nvml.nvmlDeviceGetPowerUsage(handle, v), scale=1000)
        number(
            "throttleReasons",
            lambda v: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle, v),
            ctypes.c_ulonglong)
        return found


class Cache:
    """The L2 cache between two timed calls: emptied of what the last call left."""

    def __init__(self, device):
        self.device = device
        self._driver = None
        self._buffer = None
        self.bytes = 0
        if device.type != "cuda":
            return
        try:
            driver = ctypes.CDLL("libcuda.so.1")
            driver.cuCtxResetPersistingL2Cache.argtypes = []
            driver.cuCtxGetLimit.argtypes = [ctypes.POINTER(ctypes.c_size_t), ctypes.c_int]
            driver.cuCtxSetLimit.argtypes = [ctypes.c_int, ctypes.c_size_t]
            self._driver = driver
        except (OSError, AttributeError):
            self._driver = None

    def prepare(self):
        """Allocates what `flush` reads and writes: more than twice the cache."""
        if self.device.type != "cuda" or self._buffer is not None:
            return
        size = facts(self.device).get("l2Bytes") or (64 << 20)
        free, _ = torch.cuda.mem_get_info(self.device)
        self.bytes = min(max(128 << 20, int(2.5 * size)), free // 4)
        self._buffer = torch.zeros(self.bytes // 4, dtype=torch.int32, device=self.device)

    def release(self):
        self._buffer = None

    def persisting_limit(self):
        """Bytes of L2 that the context sets aside for persisting lines; None if not to be had."""
        if self._driver is None:
            return None
        value = ctypes.c_size_t()
        if self._driver.cuCtxGetLimit(ctypes.byref(value), _LIMIT_PERSISTING_L2) != 0:
            return None
        return value.value

    def set_persisting_limit(self, size):
        if self._driver is not None:
            self._driver.cuCtxSetLimit(_LIMIT_PERSISTING_L2, size)

    def reset_persisting(self):
        """Turns persisting lines into ordinary ones; whether that could be done."""
        return self._driver is not None and self._driver.cuCtxResetPersistingL2Cache() == 0

    def flush(self):
        """Reads and writes more than the cache holds, on the current stream."""
        if self._buffer is not None:
            self._buffer.add_(1)

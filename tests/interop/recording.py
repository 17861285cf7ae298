"""The recorded stream of an exchange: `<nanoseconds> <json>` a line, gzipped; a generated one of the same shape
where the recording is not at hand."""

import gzip
import os
import random
import tempfile

RECORDED = "../shared/data/binance-spot-ethusdt-20240808.gz"  # beside the repository
GENERATED_MESSAGES = 30_000


class Recording:
    """The messages, and a file that holds them, for clients that are other programs."""

    def __init__(self, repository):
        self.path = os.path.join(repository, RECORDED)
        self._generated = not os.path.exists(self.path)
        if self._generated:
            descriptor, self.path = tempfile.mkstemp(prefix="millrace-test-", suffix=".gz")
            os.close(descriptor)
            with gzip.open(self.path, "wt", compresslevel=1) as out:
                out.writelines(_generate())
        with gzip.open(self.path, "rt") as lines:
            self.messages = [line.rstrip("\n").split(" ", 1)[1] for line in lines]

    def __str__(self):
        return f"{len(self.messages)} {'generated' if self._generated else 'recorded'} messages"

    def close(self):
        if self._generated:
            os.unlink(self.path)


def _generate():
    """Sizes and kinds as in the recording: mostly 150-byte tickers, now and then depth updates of some KiB."""
    random_ = random.Random(20240808)
    time, update = 1723161254024619568, 35346513501
    for _ in range(GENERATED_MESSAGES):
        time += random_.randrange(50_000, 60_000_000)
        update += random_.randrange(1, 20)

        def level():
            return f'["{random_.uniform(2600, 2760):.8f}","{random_.uniform(0, 400):.8f}"]'

        if random_.random() < 0.9:
            message = (f'{{"stream":"ethusdt@bookTicker","data":{{"u":{update},"s":"ETHUSDT",'
                       f'"b":"{random_.uniform(2600, 2760):.8f}","B":"{random_.uniform(0, 40):.8f}",'
                       f'"a":"{random_.uniform(2600, 2760):.8f}","A":"{random_.uniform(0, 40):.8f}"}}}}')
        else:
            bids = ",".join(level() for _ in range(int(random_.expovariate(1 / 12))))
            asks = ",".join(level() for _ in range(int(random_.expovariate(1 / 12))))
            message = (f'{{"stream":"ethusdt@depth@100ms","data":{{"e":"depthUpdate","E":{time // 1_000_000},'
                       f'"s":"ETHUSDT","U":{update - 6},"u":{update},"b":[{bids}],"a":[{asks}]}}}}')
        yield f"{time} {message}\n"

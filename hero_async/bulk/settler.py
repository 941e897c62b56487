"""Chunks whose send is in doubt: the status of their batch is read until the rules in `decide_batch` can tell."""

from __future__ import annotations

from hero_async import clock
from hero_async.api.batch_messages import BatchMessageStatus
from hero_async.bulk import decide_batch
from hero_async.bulk.batch_worker import Teller
from hero_async.bulk.chunks import Advance, Chunk
from hero_async.bulk.decide_batch import READS, ChunkState, ChunkStep, Do
from hero_async.bulk.steering import DrainingError


class Settler(Teller):
    """Settles one chunk, beside the workers. What it cannot settle in this run stays as it is on disk."""

    __slots__ = ()

    async def run(self, chunk: Chunk) -> None:
        """Settle a chunk that is `sending`, or look once more at one that is `unknown`."""
        self._take(chunk)
        with self._scope:
            try:
                if chunk.state is ChunkState.UNKNOWN:
                    await self._recheck(chunk.batch_id or "")
                else:
                    await self._settle(chunk)
            except DrainingError:
                return
            except Exception as error:  # noqa: BLE001  # raised by the run, when the other calls under way have ended
                self._sender.fail(error)

    async def _recheck(self, batch_id: str) -> None:
        status = await self._look(batch_id)
        if status:
            step = decide_batch.recheck(status)
            if step.state is not ChunkState.UNKNOWN:
                await self._end(step, batch_id)

    async def _settle(self, chunk: Chunk) -> None:
        batch_id, before, sends = chunk.batch_id or "", chunk.before or "unknown", chunk.sends
        while not self._sender.stopping:
            step = await self._window(batch_id, before, sends)
            if step.do is Do.SEND:
                before, sends = BatchMessageStatus.CREATED.value, sends + 1
                step = await self._send_again(batch_id)
            if step.state is not ChunkState.SENDING:
                await self._end(step, batch_id)
            if step.do is not Do.SETTLE:
                return

    async def _window(self, batch_id: str, before: str, sends: int) -> ChunkStep:
        """Read the status throughout one window. `Do.REPEAT`: the reading gave up."""
        sender = self._sender
        seen: list[str] = []
        while True:
            status = await self._look(batch_id)
            if status is None:
                return ChunkStep(ChunkState.SENDING, Do.REPEAT)
            seen.append(status or "missing")
            over = len(seen) >= READS
            step = decide_batch.settle(before, seen, over=over, resend=sender.resend_created, sends=sends)
            if step.do is not Do.SETTLE:
                return step
            await clock.sleep(sender.window / (READS - 1))

    async def _send_again(self, batch_id: str) -> ChunkStep:
        sender = self._sender
        call = sender.view(self._practice).batch_messages.send.build(batch_id)
        intent = Advance(self._chunk, ChunkState.SENDING, before=BatchMessageStatus.CREATED.value)
        while True:
            heard, _ = await self._call(call, intent)
            step = decide_batch.after_chunk_send(ChunkState.SENDING, heard.answer, again=True, reason=heard.reason)
            if step.do is Do.STOP:
                sender.stop(step.reason or "refused", heard.words)
            if step.do is not Do.REPEAT or not await self._pause(heard):
                return step

import type { ControlChannel, ControlChannelParts } from './control-channel.ts';
import { SharedControl } from './control-multiplex/shared-control.ts';
import { StreamPerRequest } from './stream-per-request.ts';

/** The channel that the dialect asks for. */
export function openChannel(parts: ControlChannelParts): ControlChannel {
  return parts.dialect.requestStreams === 'perRequest' ? new StreamPerRequest(parts) : new SharedControl(parts);
}

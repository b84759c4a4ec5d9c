//! The task of a connection.

use crate::connection::{Conn, Waiting};
use crate::events::Kind;
use crate::owner::{Half, Owner};
use crate::receive::ReceiveSide;
use crate::send::SendSide;
use bytes::Bytes;
use quinn::ConnectionError;
use std::collections::VecDeque;
use std::future::{poll_fn, Future};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

/// Streams or datagrams taken before other tasks get a turn.
const TURN: usize = 64;

/// Says that the connection ended even when its task panicked.
struct EndsAnyway<F: Fn()> {
    conn: Arc<Conn>,
    forget: F,
}

impl<F: Fn()> EndsAnyway<F> {
    fn ended(&self, error: &ConnectionError) {
        (self.forget)();
        self.conn.ended(error);
    }
}

impl<F: Fn()> Drop for EndsAnyway<F> {
    fn drop(&mut self) {
        self.conn.close(quinn::VarInt::from_u32(0), b"internal error");
        self.ended(&ConnectionError::Reset);
    }
}

/// `forget`: takes the connection from the ones alive; called before JavaScript hears of the end.
pub async fn drive(conn: Arc<Conn>, quinn: quinn::Connection, forget: impl Fn()) {
    let guard = EndsAnyway { conn: conn.clone(), forget };
    let error = run(&conn, &quinn).await;
    if matches!(error, ConnectionError::LocallyClosed) {
        // A process that exits right after `closed` should have told its peer.
        for _ in 0..20 {
            if quinn.stats().frame_tx.connection_close > 0 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    guard.ended(&error);
}

async fn run(conn: &Arc<Conn>, quinn: &quinn::Connection) -> ConnectionError {
    let mut closed = pin!(quinn.closed());
    let mut uni = pin!(quinn.accept_uni());
    let mut bidi = pin!(quinn.accept_bi());
    let mut datagram = pin!(quinn.read_datagram());
    let mut open_uni = pin!(quinn.open_uni());
    let mut open_bidi = pin!(quinn.open_bi());
    let mut spare: Vec<Arc<dyn Half>> = Vec::new();
    poll_fn(|context| {
        // First, so that nothing added during this turn is missed.
        let wants = {
            let mut inbox = conn.lock_inbox();
            inbox.waker = Some(context.waker().clone());
            std::mem::swap(&mut inbox.work, &mut spare);
            (!inbox.waiting_uni.is_empty(), !inbox.waiting_bidi.is_empty())
        };
        let mut budget = TURN;
        while budget > 0 {
            let Poll::Ready(stream) = uni.as_mut().poll(context) else { break };
            uni.set(quinn.accept_uni());
            let Ok(stream) = stream else { break };
            budget -= 1;
            accepted(conn, Kind::Uni, None, stream);
        }
        while budget > 0 {
            let Poll::Ready(streams) = bidi.as_mut().poll(context) else { break };
            bidi.set(quinn.accept_bi());
            let Ok((send, receive)) = streams else { break };
            budget -= 1;
            accepted(conn, Kind::Bidi, Some(send), receive);
        }
        while budget > 0 {
            let Poll::Ready(bytes) = datagram.as_mut().poll(context) else { break };
            datagram.set(quinn.read_datagram());
            let Ok(bytes) = bytes else { break };
            budget -= 1;
            conn.events().offer(Kind::Datagram, conn.handle, 0, &bytes);
        }
        while wants.0 && waits(conn, false) {
            let Poll::Ready(stream) = open_uni.as_mut().poll(context) else { break };
            open_uni.set(quinn.open_uni());
            let Ok(mut stream) = stream else { break };
            match next_waiting(conn, false) {
                Some(waiting) => {
                    waiting.send.attach(stream);
                }
                None => {
                    let _ = stream.reset(quinn::VarInt::from_u32(0));
                    break;
                }
            }
        }
        while wants.1 && waits(conn, true) {
            let Poll::Ready(streams) = open_bidi.as_mut().poll(context) else { break };
            open_bidi.set(quinn.open_bi());
            let Ok((mut send, receive)) = streams else { break };
            match next_waiting(conn, true) {
                Some(waiting) => {
                    waiting.send.attach(send);
                    if let Some(side) = waiting.receive {
                        side.attach(receive);
                    }
                }
                None => {
                    let _ = send.reset(quinn::VarInt::from_u32(0));
                    break;
                }
            }
        }
        run_work(&mut spare);
        if let Poll::Ready(error) = closed.as_mut().poll(context) {
            return Poll::Ready(error);
        }
        if budget == 0 {
            context.waker().wake_by_ref();
        }
        Poll::Pending
    })
    .await
}

/// Streams that wanted to write go by priority, as they will share what room there is.
fn run_work(work: &mut Vec<Arc<dyn Half>>) {
    if work.len() > 1 {
        work.sort_by_cached_key(|half| half.send_priority().map_or(i64::MIN, |priority| -i64::from(priority)));
    }
    for half in work.drain(..) {
        half.work();
    }
}

fn waits(conn: &Conn, bidirectional: bool) -> bool {
    let inbox = conn.lock_inbox();
    !if bidirectional { &inbox.waiting_bidi } else { &inbox.waiting_uni }.is_empty()
}

fn next_waiting(conn: &Conn, bidirectional: bool) -> Option<Waiting> {
    let mut inbox = conn.lock_inbox();
    let waiting: &mut VecDeque<Waiting> = if bidirectional { &mut inbox.waiting_bidi } else { &mut inbox.waiting_uni };
    // A one-way stream that was reset before it existed need not exist.
    if !bidirectional {
        waiting.retain(|next| !next.send.is_ended());
    }
    // Credit goes by priority, as the line does; of equal ones to whoever has waited longest.
    let first = (0..waiting.len()).min_by_key(|&index| -i64::from(waiting[index].send.priority()))?;
    waiting.remove(first)
}

fn accepted(conn: &Arc<Conn>, kind: Kind, send: Option<quinn::SendStream>, receive: quinn::RecvStream) {
    let handle = conn.streams.handle();
    let side = ReceiveSide::new(handle, conn.clone(), Some(receive));
    conn.add_receive(&side);
    let sending = send.map(|stream| (SendSide::new(handle, conn.clone(), 0, Bytes::new()), stream));
    if let Some((side, _)) = &sending {
        conn.add_send(side);
    }
    conn.events().push(kind, conn.handle, handle, &[]);
    // After the announcement: attaching may already report a stop.
    if let Some((side, stream)) = sending {
        side.attach(stream);
    }
}

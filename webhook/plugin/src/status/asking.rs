//! Agents, asked side by side.
//!
//! EDGE. However many there are and however they answer, each is asked for a limited time, and some at once.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt, stream};
use kube::Client;
use serde_json::Value;

use super::pod::{PodStatus, place};
use crate::{agents, exec};

/// So many are asked at once: each is a connection of its own to the API server.
const AT_ONCE: usize = 16;
/// An agent answers from a file; the rest is the way to it.
const LIMIT: Duration = Duration::from_secs(10);

/// How each of `pods` stands, in their order.
pub(crate) async fn statuses(client: &Client, pods: &[Value]) -> Vec<PodStatus> {
    side_by_side(pods, |pod| status(client, pod)).await
}

async fn status(client: &Client, pod: &Value) -> PodStatus {
    let told = PodStatus::told(pod);
    if agents::standing(pod) != agents::Standing::Running {
        return told;
    }
    told.answered(exec::run(client, &place(pod), &["status", "--json"], LIMIT).await)
}

/// `ask` of each of `pods`, some at once; the answers in the order of the pods.
pub(crate) async fn side_by_side<'a, T, Asked: Future<Output = T>>(
    pods: &'a [Value],
    ask: impl Fn(&'a Value) -> Asked,
) -> Vec<T> {
    stream::iter(pods.iter().map(ask)).buffered(AT_ONCE).collect().await
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn many_are_asked_a_few_at_once_and_answer_in_order() {
        let (under_way, most) = (Cell::new(0_usize), Cell::new(0_usize));
        let pods: Vec<Value> = (0..100).map(Value::from).collect();
        let (under_way, most) = (&under_way, &most);
        let answers = side_by_side(&pods, |pod| async move {
            under_way.set(under_way.get() + 1);
            most.set(most.get().max(under_way.get()));
            tokio::task::yield_now().await;
            under_way.set(under_way.get() - 1);
            pod.clone()
        });
        assert_eq!(answers.await, pods);
        assert_eq!(most.get(), AT_ONCE);
    }
}

//! Redirects: never followed, and a payment never leaves the place it was made for.

use x402_client::{Charged, Error};

use crate::seller::{Act, Seller, client, served};

const STATUSES: [u16; 6] = [300, 301, 302, 303, 307, 308];

fn redirect(status: u16, to: &str) -> Act {
    Act::Answer(status, vec![("location".into(), to.into())], String::new())
}

#[tokio::test]
async fn a03_unpaid_redirects_are_answers_not_journeys() {
    let other = Seller::start(|_| served()).await;
    for status in STATUSES {
        for cross in [false, true] {
            let seller = Seller::start(|_| served()).await;
            let to = if cross {
                other.url()
            } else {
                format!("{}/elsewhere", seller.origin)
            };
            seller.now(move |_| redirect(status, &to));
            let answer = client().get(&seller.url()).send().await.unwrap();
            assert_eq!(answer.status().as_u16(), status);
            assert!(answer.receipt().is_none());
            assert_eq!(seller.seen().len(), 1, "{status} {cross}");
        }
    }
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a03_paid_redirects_end_the_call_and_the_payment_stays_home() {
    let other = Seller::start(|_| served()).await;
    for status in STATUSES {
        for cross in [false, true] {
            let seller = Seller::selling(|_| Act::Drop).await;
            let to = if cross {
                other.url()
            } else {
                format!("{}/elsewhere", seller.origin)
            };
            let terms = crate::seller::offer(&seller.url(), &[crate::seller::option()]);
            seller.now(move |seen| {
                if seen.paid.is_some() {
                    redirect(status, &to)
                } else {
                    terms.clone()
                }
            });
            let client = client();
            let error = client.get(&seller.url()).send().await.unwrap_err();
            assert!(
                matches!(&error, Error::Redirected(redirected) if redirected.status.as_u16() == status)
            );
            assert_eq!(error.charged(), Charged::Maybe);
            assert_eq!(seller.payments(), (1, 1), "{status} {cross}");
            assert!(
                seller
                    .seen()
                    .iter()
                    .all(|seen| seen.line.contains(" /weather "))
            );
            assert_eq!(client.budget().spent(), "0.01", "charged until it is void");
        }
    }
    assert!(other.seen().is_empty());
}

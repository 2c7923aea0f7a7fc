//! Calls without a price are plain typed calls.
use crate::client::{Call, Client, Contributor, Issue, IssuesCreateBody, IssuesCreateBodyTitle, IssuesCreateRequest};
use crate::client::{IssuesListForRepoRequest, IssuesListForRepoState, REPOS_GET, ReposListContributorsRequest};

/// Each call takes what its name says, and gives what the document says.
pub fn calls(client: &Client) -> (Call<'_, Vec<Issue>>, Call<'_, Issue>, Call<'_, Option<Vec<Contributor>>>, bool) {
    let mut list = IssuesListForRepoRequest::new("owner".into(), "repo".into());
    list.state = Some(IssuesListForRepoState::Closed);
    list.per_page = Some(10);
    let body = IssuesCreateBody::new(IssuesCreateBodyTitle::Text("title".into()));
    let create = IssuesCreateRequest::new("owner".into(), "repo".into(), body);
    let contributors = ReposListContributorsRequest::new("owner".into(), "repo".into());
    let list = client.issues_list_for_repo(&list).header("authorization", "Bearer token");
    (list, client.issues_create(&create), client.repos_list_contributors(&contributors), REPOS_GET.cost.is_none())
}

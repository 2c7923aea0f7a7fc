"""What a user does with clients of other people's services. Run by Python once mypy has passed it."""

import httpx

from clients import github, openai, star_trek

sent: list[httpx.Request] = []


def handle(request: httpx.Request) -> httpx.Response:
    sent.append(request)
    return httpx.Response(200, content=b"[]" if request.method == "GET" else b"{}")


def line() -> str:
    return f"{sent[-1].method} {sent[-1].url}"


transport = httpx.MockTransport(handle)
hub = github.Client(github.MockPayer(), github.Budget("1", "1"), base="https://here.example", transport=transport)
key = github.CallOptions(headers={"authorization": "Bearer token"})
issues: list[github.Issue] = hub.issues_list_for_repo(owner="o", repo="r/s", state="closed", per_page=10, options=key).value
assert issues == []
assert line() == "GET https://here.example/repos/o/r%2Fs/issues?per_page=10&state=closed"
assert sent[-1].headers["authorization"] == "Bearer token"
assert github.Quotes.repos_get(owner="o", repo="r").kind == "unknown"
assert len(github.ENDPOINTS) > 1000 and all(one.cost is None and not one.rails for one in github.ENDPOINTS)

models = openai.Client(openai.MockPayer(), openai.Budget("1", "1"), base="https://here.example", transport=transport)
try:
    models.create_file(body=openai.Parts().text("purpose", "batch"))
except openai.UnexpectedAnswer as error:
    assert error.charged is False
assert b'name="purpose"\r\n\r\nbatch\r\n' in sent[-1].content

movies = star_trek.Client(star_trek.MockPayer(), star_trek.Budget("1", "1"), base="https://here.example", transport=transport)
movies.post_movie_search(page_size=5, body=star_trek.PostMovieSearchBody(title="first & last"))
assert (line(), sent[-1].content) == ("POST https://here.example/movie/search?pageSize=5", b"title=first%20%26%20last")
print("done")

// What the browser test needs of the platform: where it is, who signs in, and
// a way to commit a case as a citizen does.
import { startFake } from './fake.mjs';

/** The platform at the URL, or a fake one if there is none. */
export async function startPlatform(url) {
  if (url) return new Platform(url.replace(/\/$/, ''));
  const fake = await startFake();
  return { url: fake.url, login: 'qx510104000000', password: 'canned', commitCase: async (title) => fake.commit(title), close: fake.close };
}

class Platform {
  login = process.env.SCREEN_LOGIN ?? 'qx510104000000';
  password = process.env.SCREEN_PASSWORD ?? 'Shimin-Cloud-2026';
  #citizen;

  constructor(url) {
    this.url = url;
  }

  /** A citizen of the demonstration files a case in the district. */
  async commitCase(title) {
    this.#citizen ??= await this.#signIn();
    const { token, areaId } = this.#citizen;
    await this.#ask(
      'mutation Commit($input: SubmitFeedbackInput!) { submitFeedback(input: $input) { __typename } }',
      { input: { areaId, class: 'FACILITY', title, content: '小区东门外的两盏路灯已经三天不亮，晚上行人看不清路。' } },
      token,
    );
  }

  async #signIn() {
    const areaId = await this.#communityOf('510104');
    // any of the demonstration's citizens: one number gets one code a minute
    const mobile = `+86138${String(Math.floor(Math.random() * 5000)).padStart(8, '0')}`;
    await this.#ask('mutation Code($input: RequestSmsCodeInput!) { requestSmsCode(input: $input) { expiresInSeconds } }', { input: { mobile, scene: 'SIGN_IN' } });
    const code = await this.#codeFor(mobile);
    const { signInByCode } = await this.#ask('mutation SignIn($input: SignInByCodeInput!) { signInByCode(input: $input) { accessToken } }', { input: { mobile, code } });
    return { token: signInByCode.accessToken, areaId };
  }

  /** A community whose cases the district's board counts. */
  async #communityOf(district) {
    const { area } = await this.#ask(
      'query Communities($id: ID!) { area(id: $id) { children(first: 1) { edges { node { children(first: 1) { edges { node { id } } } } } } } }',
      { id: `${district}000000` },
    );
    return area.children.edges[0].node.children.edges[0].node.id;
  }

  /** The code in the development inbox, which shows what the SMS simulator sent. */
  async #codeFor(mobile) {
    const response = await fetch(`${this.url}/development/inbox?format=json&mobile=${encodeURIComponent(mobile)}`, { signal: AbortSignal.timeout(5000) });
    const [newest] = await response.json();
    if (!newest) throw new Error(`no message to ${mobile} in the development inbox`);
    return newest.code;
  }

  async #ask(query, variables, token) {
    const response = await fetch(`${this.url}/graphql`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-Client-Id': 'app', ...(token && { Authorization: `Bearer ${token}` }) },
      body: JSON.stringify({ query, variables }),
      signal: AbortSignal.timeout(10_000),
    });
    const { data, errors } = await response.json();
    if (errors) throw new Error(`${query.slice(0, 40)}…: ${JSON.stringify(errors)}`);
    return data;
  }

  async close() {}
}

import { useState, type FormEvent } from 'react';
import { useMutation } from 'urql';
import type { Session } from '../../connection/session';
import { SignInDocument } from '../../gql/operations';
import { Brand } from '../Brand';

/** The sign-in of a worker: login name and password. */
export function SignIn({ session }: { session: Session }) {
  const [login, setLogin] = useState('');
  const [password, setPassword] = useState('');
  const [{ fetching, error }, signIn] = useMutation(SignInDocument);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const { data } = await signIn({ input: { login: login.trim(), password } });
    if (data) session.start(data.signInWorker);
  };
  const failure = error && (error.networkError ? '无法连接服务器，请稍后再试' : (error.graphQLErrors[0]?.message ?? '登录失败'));
  return (
    <main className="sign-in">
      <section className="sign-in-about">
        <Brand />
        <h1>意见反馈数据大屏</h1>
        <p>市、区、街道、社区四级民意诉求与社区活动，实时一屏统览。</p>
      </section>
      <form className="panel" onSubmit={submit}>
        <h2>工作人员登录</h2>
        <label>
          登录名
          <input name="login" autoComplete="username" autoFocus required value={login} onChange={(event) => setLogin(event.target.value)} />
        </label>
        <label>
          密码
          <input name="password" type="password" autoComplete="current-password" required value={password} onChange={(event) => setPassword(event.target.value)} />
        </label>
        <p className="sign-in-failure" role="alert">
          {failure ?? session.notice}
        </p>
        <button type="submit" disabled={fetching}>
          {fetching ? '正在登录' : '登录'}
        </button>
      </form>
    </main>
  );
}

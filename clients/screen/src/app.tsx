import { useCallback, useEffect, useState, useSyncExternalStore } from 'react';
import { useMutation, useQuery } from 'urql';
import { backoff } from './connection/backoff';
import type { Session } from './connection/session';
import { AreaChoice } from './features/area/AreaChoice';
import { Board } from './features/board/Board';
import { useRoute } from './features/route';
import { SignIn } from './features/sign-in/SignIn';
import { ScopeDocument, SignOutDocument } from './gql/operations';

/** Sign-in, then the board of an area or the choice of one. */
export function App({ session }: { session: Session }) {
  const signedIn = useSyncExternalStore(session.watch, () => session.signedIn);
  return signedIn ? <SignedIn session={session} /> : <SignIn session={session} />;
}

function SignedIn({ session }: { session: Session }) {
  const { route } = useRoute();
  const [{ data, fetching, error }, again] = useQuery({ query: ScopeDocument });
  useAgain(error, again);
  const [, signOut] = useMutation(SignOutDocument);
  const leave = useCallback(async () => {
    await signOut({});
    session.end();
  }, [session, signOut]);
  const scope = data?.currentWorker;
  if (!scope) {
    return (
      <main className="waiting">
        <p className="waiting-title">{fetching ? '正在打开' : data ? '此账号不是工作人员' : '暂时无法连接服务器'}</p>
        <p>
          {error && '正在自动重试'}
          <button type="button" className="link" onClick={leave}>
            退出
          </button>
        </p>
      </main>
    );
  }
  if (route.choose) return <AreaChoice key={route.choose} areaId={route.choose} scope={scope} />;
  if (!route.area && scope.area.level === 'CITY') return <AreaChoice areaId={scope.area.id} scope={scope} />;
  const areaId = route.area ?? scope.area.id;
  return <Board key={areaId} areaId={areaId} scope={scope} onSignOut={leave} />;
}

/** Asks again after each error, for a screen has nobody who could. */
function useAgain(error: unknown, again: () => void): void {
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (!error) return;
    const timer = setTimeout(() => {
      setAttempt((n) => n + 1);
      again();
    }, backoff(attempt + 1));
    return () => clearTimeout(timer);
    // a new error is a new object: once for each
  }, [error]);
}

// Where the page is, kept in its address: ?area=CODE is a board, ?choose=CODE
// the choice of an area, nothing the worker's own area.
import { createContext, use, useCallback, useEffect, useMemo, useState, type MouseEvent, type ReactNode } from 'react';

export interface Route {
  area?: string;
  choose?: string;
}

interface Routing {
  route: Route;
  /** What makes an <a> go there without loading the page anew. */
  link(to: Route): { href: string; onClick(event: MouseEvent): void };
}

const RouteContext = createContext<Routing | null>(null);

export function useRoute(): Routing {
  const routing = use(RouteContext);
  if (!routing) throw new Error('useRoute outside of RouteProvider');
  return routing;
}

const code = /^\d{12}$/;

/** Reads the address; what is no area code is ignored. */
export function readRoute(search: string): Route {
  const parameters = new URLSearchParams(search);
  const area = parameters.get('area') ?? '';
  const choose = parameters.get('choose') ?? '';
  if (code.test(area)) return { area };
  if (code.test(choose)) return { choose };
  return {};
}

const address = (to: Route) => `${location.pathname}?${new URLSearchParams(to as Record<string, string>)}`;

export function RouteProvider({ children }: { children: ReactNode }) {
  const [route, setRoute] = useState(() => readRoute(location.search));
  useEffect(() => {
    const moved = () => setRoute(readRoute(location.search));
    addEventListener('popstate', moved);
    return () => removeEventListener('popstate', moved);
  }, []);
  const link = useCallback<Routing['link']>(
    (to) => ({
      href: address(to),
      onClick(event) {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        history.pushState(null, '', address(to));
        setRoute(to);
      },
    }),
    [],
  );
  const routing = useMemo(() => ({ route, link }), [route, link]);
  return <RouteContext value={routing}>{children}</RouteContext>;
}

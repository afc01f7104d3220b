import { StrictMode, Suspense, lazy } from 'react';
import { createRoot } from 'react-dom/client';
import './explorer.css';

// Two pages of one site: GraphiQL, and under /explorer/plan the plan viewer.
const Page = window.location.pathname.startsWith('/explorer/plan')
  ? lazy(() => import('./plan/page.jsx'))
  : lazy(() => import('./graphiql.jsx'));

createRoot(document.getElementById('explorer')).render(
  <StrictMode>
    <Suspense fallback={null}>
      <Page />
    </Suspense>
  </StrictMode>,
);

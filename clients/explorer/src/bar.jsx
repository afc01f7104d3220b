import { useEffect, useState } from 'react';

/** themes are the ways the pages look; system follows the machine. */
const themes = [
  { value: 'system', label: '跟随系统' },
  { value: 'light', label: '浅色' },
  { value: 'dark', label: '深色' },
];

/** useKept is useState that survives a reload. */
export function useKept(key, initial) {
  const [value, setValue] = useState(() => localStorage.getItem(key) ?? initial);
  return [
    value,
    (next) => {
      localStorage.setItem(key, next);
      setValue(next);
    },
  ];
}

/** useTheme is the kept theme, set on the document. */
export function useTheme() {
  const [theme, setTheme] = useKept('explorer:theme', 'system');
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
  return [theme, setTheme];
}

/** Choice is a labelled select. */
export function Choice({ label, name, values, value, onChange }) {
  return (
    <label>
      {label}
      <select name={name} value={value} onChange={(event) => onChange(event.target.value)}>
        {values.map((each) => (
          <option key={each.value} value={each.value}>
            {each.label}
          </option>
        ))}
      </select>
    </label>
  );
}

const pages = [
  { path: '/explorer/', label: 'GraphQL 浏览器' },
  { path: '/explorer/plan', label: '查询计划' },
];

/** Bar is the head of every page: which page, what is chosen, and how it looks. */
export function Bar({ page, theme, onTheme, children }) {
  return (
    <header className="explorer-bar">
      <strong>天府市民云</strong>
      <nav>
        {pages.map(({ path, label }) => (
          <a key={path} href={path} aria-current={path === page ? 'page' : undefined}>
            {label}
          </a>
        ))}
      </nav>
      {children}
      <span className="explorer-theme">
        <Choice label="外观" name="theme" values={themes} value={theme} onChange={onTheme} />
      </span>
    </header>
  );
}

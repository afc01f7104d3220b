/** The platform's sign and name. */
export function Brand() {
  return (
    <div className="brand">
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <path className="cloud" d="M9 22.500a5.200 5.200 0 0 1 .6-10.200 7.200 7.200 0 0 1 13.500 1.600 4.400 4.400 0 0 1-.7 8.600Z" />
        <path className="rise" d="M12 19v-2.500M16 19v-5.500M20 19v-4" />
      </svg>
      <span>市民云</span>
    </div>
  );
}

// The mark: a workpiece of three diameters on its centre line, and the chip that comes off.
export const Logo = ({ size = 32 }: { size?: number }) => (
  <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden="true">
    <path d="M3 5h8v22H3zM12 10h7v12h-7zM20 13h9v6h-9z" fill="var(--l-ink)" />
    <path d="M0 16h32" stroke="var(--l-shell)" strokeWidth="1.1" strokeDasharray="5 1.6 1.4 1.6" />
    <path
      d="M20.4 9.4c-.4-3.4 2-6 4.8-5.6 2.3.4 2.9 2.9 1.3 3.9-1.3.8-2.7-.4-2-1.7"
      fill="none"
      stroke="var(--l-accent)"
      strokeWidth="1.8"
      strokeLinecap="round"
    />
  </svg>
);

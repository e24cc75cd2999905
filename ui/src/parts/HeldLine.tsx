// "5 newer, held back while you read": new rows never move what a person looks at, and neither does this line. It lies
// over the foot of the list, where the list keeps room for it.
import { text } from "../text";

export function HeldLine({
  held,
  more = false,
  onShow,
}: {
  held: number;
  more?: boolean;
  onShow: () => void;
}) {
  if (held === 0) return null;
  return (
    <div className="new">
      {text.traffic.held(held, more)} ·{" "}
      <button type="button" className="linklike" onClick={onShow}>
        {text.traffic.showThem}
      </button>{" "}
      <kbd>.</kbd>
    </div>
  );
}

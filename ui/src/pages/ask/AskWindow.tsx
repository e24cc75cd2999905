// The small window: one question and nothing else. Leaving it goes to an address that the shell knows as "close", a click
// on its strip to one that it knows as "whole"; in a browser these addresses are the list of questions.
import { useCallback } from "react";
import { navigate, useRoute } from "../../lib/route";
import { Button } from "../../parts/controls";
import { Empty, Waiting } from "../../parts/states";
import { text } from "../../text";
import { AskView } from "./AskView";
import { useQueue } from "./useQueue";

const CLOSE = "/ask?close";
const WHOLE = "/ask?whole";

export default function AskWindow() {
  const { open } = useRoute();
  const { query, shown, same, more, next } = useQueue(open);
  const close = useCallback(() => location.assign(CLOSE), []);
  const toNext = () => {
    next();
    navigate({ page: "ask", search: "window" }, "replace");
  };
  return (
    <main className="askwindow" id="main">
      {shown === null ? (
        <>
          <Waiting query={query} rows={4} />
          {query.data && (
            <Empty title={text.ask.none}>
              <Button onClick={close}>{text.ask.close}</Button>
            </Empty>
          )}
        </>
      ) : (
        <AskView
          key={shown.id}
          ask={shown}
          more={more}
          same={same}
          onOpen={() => location.assign(WHOLE)}
          onForgotten={more > 0 ? toNext : close}
          onNext={more > 0 ? toNext : null}
          onClose={close}
          onDecided={more > 0 ? toNext : close}
        />
      )}
    </main>
  );
}

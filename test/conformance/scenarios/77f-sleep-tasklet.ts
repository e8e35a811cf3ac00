// A function that may sleep, kmalloc(GFP_KERNEL), in a tasklet.
import { mightSleep, Tasklet, taskletSchedule } from '../../../kernel/index.js';
import type { Oracle } from '../vocabulary.js';

export default function* (o: Oracle) {
  taskletSchedule(
    new Tasklet(() => {
      o.log('tasklet kmalloc GFP_KERNEL');
      // The model has no allocator; all that kmalloc() does here is to ask whether it may sleep.
      mightSleep('kmalloc');
      o.log('tasklet after');
    }),
  );
  yield* o.sleep(10);
}

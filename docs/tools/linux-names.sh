#!/bin/bash
# linux-names.sh: writes linux-names.txt, the names that Linux's headers give to functions, macros with arguments and structures.
#
# Usage: linux-names.sh INCLUDE_DIR, the `include` of Linux 6.12, as in Debian's package linux-headers-6.12*-common.
# The reference holds a name against this list before it says that the kernel has it.
set -euo pipefail

[ $# = 1 ] && [ -e "$1/linux/interrupt.h" ] || { echo "usage: linux-names.sh INCLUDE_DIR (of Linux 6.12)" >&2; exit 2; }
out=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/linux-names.txt
cd "$1"
{
  # Functions, macros with arguments, structures, typedefs ending in _t.
  cat linux/{interrupt,irq,irqdesc,irqdomain,irqhandler,irqreturn,irqflags,irqnr,hardirq,bottom_half,preempt,smp}.h \
    linux/{spinlock,spinlock_types,spinlock_api_smp,rwlock,rwlock_api_smp,mutex,semaphore,rwsem,seqlock,lockdep,debug_locks}.h \
    linux/{wait,swait,completion,sched,kthread,delay,jiffies,timer,hrtimer,ktime,time64,timekeeping,types,workqueue,percpu,percpu-defs,cpumask,netdevice,irq_poll}.h \
    linux/sched/{signal,task,clock,debug,rt,wake_q,deadline,prio}.h linux/{signal,nmi,device,printk,bug,kernel,errno}.h \
    linux/{atomic,bitops,find,bitmap,llist,list,kfifo,circ_buf,rcupdate,srcu,irq_work,stop_machine,proc_fs,seq_file,suspend,freezer}.h \
    linux/atomic/*.h linux/gpio/{consumer,driver}.h uapi/linux/gpio.h asm-generic/{percpu,bitops/*}.h |
    grep -oP '\b[a-z_][a-z0-9_]*(?=\()|#define\s+\K[A-Z][A-Z0-9_]*(?=\()|\bstruct\s+\K[a-z][a-z0-9_]+|\b[a-z][a-z0-9_]+_t\b'
  # Macros without arguments that are called like variables, and functions defined behind the headers.
  printf '%s\n' current jiffies mod_timer_pending ksoftirqd schedule
} | grep -v '^_$' | LC_ALL=C sort -u > "$out"
echo "$(wc -l < "$out") names in $out" >&2

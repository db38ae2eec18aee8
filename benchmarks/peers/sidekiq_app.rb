# The jobs of Sidekiq: ruby sidekiq_app.rb KIND COUNT enqueues, sidekiq -r performs.
require "sidekiq"

Sidekiq.configure_server { |config| config.redis = {url: ENV.fetch("REDIS_URL")} }
Sidekiq.configure_client { |config| config.redis = {url: ENV.fetch("REDIS_URL")} }
Sidekiq.logger.level = Logger::ERROR

ACCOUNT = File.open(ENV.fetch("BENCH_ACCOUNT", File::NULL), "ab")

class Noop
  include Sidekiq::Worker
  sidekiq_options queue: "work"

  def perform(_number, _word, _flag)
    ACCOUNT.syswrite(".")
  end
end

class Cpu
  include Sidekiq::Worker
  sidekiq_options queue: "work"

  def perform(_number, _word, _flag)
    stop = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) + 0.001
    nil while Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) < stop
    ACCOUNT.syswrite(".")
  end
end

class Sleep
  include Sidekiq::Worker
  sidekiq_options queue: "work"

  def perform(_number, _word, _flag)
    sleep 0.01
    ACCOUNT.syswrite(".")
  end
end

class Tell
  include Sidekiq::Worker
  sidekiq_options queue: "work"

  def perform(number, _word, _flag)
    ACCOUNT.syswrite("began #{number} in #{Process.pid}\n")
    sleep 0.01
    ACCOUNT.syswrite("ended #{number}\n")
  end
end

if $PROGRAM_NAME == __FILE__
  kind, count = ARGV
  calls = Array.new(Integer(count)) { |number| [number, "invoice", true] }
  calls.each_slice(1000) { |some| Sidekiq::Client.push_bulk("class" => Object.const_get(kind.capitalize), "args" => some) }
end
